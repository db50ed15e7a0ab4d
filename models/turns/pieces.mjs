// Reads words, one a line, and prints the recogniser's pieces of each: ids with spaces between.
import { readFileSync } from 'node:fs';
import llama from 'llama-tokenizer-js';

const words = readFileSync(0, 'utf8').split('\n').filter(Boolean);
process.stdout.write(words.map((word) => llama.encode(word, false, true).join(' ')).join('\n'));
