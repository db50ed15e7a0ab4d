/** A piece of an article that can stand alone as an answer. */
export interface Chunk {
  /** Article name: the file's name without `.md`. */
  article: string;
  /** The headings above it, outermost first. */
  headings: readonly string[];
  /** Plain sentences, in order, as they may be spoken. */
  sentences: readonly string[];
}

/** Longest chunk, in sentences: an answer by telephone is short, and a short chunk is found more sharply. */
const MAX_SENTENCES = 6;

/**
 * Cuts a Markdown article at headings and blank lines, and takes the markup out. List items become sentences; code
 * blocks, tables' rules, images and HTML comments are left out.
 */
export function chunkArticle(article: string, markdown: string): Chunk[] {
  const chunks: Chunk[] = [];
  const headings: string[] = [];
  const add = (text: string): void => {
    const sentences = splitSentences(text);
    for (let at = 0; at < sentences.length; at += MAX_SENTENCES) {
      chunks.push({ article, headings: [...headings], sentences: sentences.slice(at, at + MAX_SENTENCES) });
    }
  };
  for (const block of blocksOf(markdown)) {
    const heading = /^(#{1,6})\s+(.*?)\s*#*$/.exec(block);
    if (heading) {
      headings.length = Math.min(headings.length, (heading[1] ?? '').length - 1);
      headings.push(plain(heading[2] ?? ''));
    } else {
      add(block);
    }
  }
  return chunks;
}

/** Text between blank lines and headings, each list item a line ending in a full stop. */
function blocksOf(markdown: string): string[] {
  const text = markdown
    .replace(/\r\n?/g, '\n')
    .replace(/^---\n[\s\S]*?\n---\n/, '')
    .replace(/<!--[\s\S]*?-->/g, '')
    .replace(/^(```|~~~)[\s\S]*?^\1.*$/gm, '')
    .replace(/^(#{1,6}\s.*)$/gm, '\n$1\n');
  return text
    .split(/\n\s*\n/)
    .map((block) => block.trim())
    .filter((block) => block !== '' && !/^[-*_|: \n]+$/.test(block))
    .map((block) => (block.startsWith('#') ? block : plainBlock(block)));
}

function plainBlock(block: string): string {
  return block
    .split(/\n(?=\s*(?:[-*+]|\d+[.)])\s)/)
    .map((item) => plain(item.replace(/^\s*(?:[-*+]|\d+[.)])\s+/, '').replace(/^>\s?/gm, '')))
    .map((item) => (/[.!?:]$/.test(item) ? item : `${item}.`))
    .join(' ');
}

function plain(text: string): string {
  return text
    .replace(/!\[[^\]]*\]\([^)]*\)/g, '')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/<https?:\/\/([^>]*)>/g, '$1')
    .replace(/<[^>]*>/g, '')
    .replace(/(\*\*|__|\*|`)/g, '')
    .replace(/\s*\|\s*/g, ', ')
    .replace(/\s+/g, ' ')
    .trim();
}

/** A full stop ends a sentence before a blank and a capital, a digit or a quote, unless it closes an abbreviation. */
function splitSentences(text: string): string[] {
  return text
    .split(/(?<=[.!?])(?<!\b(?:Mr|Mrs|Ms|Dr|St|No|e\.g|i\.e|a\.m|p\.m)\.)\s+(?=["'(A-Z0-9])/)
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== '');
}
