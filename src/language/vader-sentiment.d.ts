/** The part of npm `vader-sentiment` that is used; the package has no types. */
declare module 'vader-sentiment' {
  export const SentimentIntensityAnalyzer: {
    polarity_scores(text: string): { compound: number; pos: number; neu: number; neg: number };
  };
}
