/** How well a topic fits what was said. */
export interface TopicScore {
  topic: string;
  /** 0 to 1. Comparable between topics and texts of one classifier. */
  score: number;
}

/** Says what a text is about. */
export interface Classifier {
  /** The topics, best first. Takes well under a millisecond of the caller's thread. */
  classify(text: string): TopicScore[];
  /** Score from which a topic may be acted on; below it, the text is out of scope. */
  readonly threshold: number;
}
