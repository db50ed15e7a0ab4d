import { picture, text } from './svg.js';

const LINE = 20;
const LEFT = 20;
const CHARACTER = 7.85;
const MONO = 'font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" xml:space="preserve"';

/** A terminal window with this in it. */
export function terminalPicture(output: string): string {
  const lines = output.split('\n').flatMap((line) => folded(line, 112));
  const width = Math.round(2 * LEFT + CHARACTER * Math.max(...lines.map((line) => line.length)));
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map(
    (colour, n) => `<circle cx="${LEFT + 5 + 18 * n}" cy="18" r="5.5" fill="${colour}"/>`,
  );
  const rows = lines.map((line, n) => text(LEFT, 54 + n * LINE, colourOf(line), line, MONO));
  return picture('A call in the terminal', [width, 54 + lines.length * LINE + 6], '#16181d', [...dots, ...rows]);
}

function colourOf(line: string): string {
  if (/^(\$| {4}--)/.test(line)) return '#ffffff';
  if (line.startsWith('agent')) return '#8bd5a0';
  return line.startsWith('caller') ? '#8ab4f8' : '#9aa0a6';
}

/** Long lines go on below, under their text. */
function folded(line: string, width: number): string[] {
  if (line.length <= width) return [line];
  const at = line.lastIndexOf(' ', width);
  return [line.slice(0, at), ...folded(`        ${line.slice(at + 1)}`, width)];
}
