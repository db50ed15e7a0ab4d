/** An SVG picture of this size, px, `title` for those who don't see it: a card that is readable on light and dark pages alike. */
export function picture(
  title: string,
  [width, height]: readonly [number, number],
  background: string,
  content: readonly string[],
): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="ui-sans-serif, system-ui, sans-serif" font-size="13" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<rect width="${width}" height="${height}" rx="8" fill="${background}"/>`,
    ...content,
    '</svg>',
    '',
  ].join('\n');
}

/** A line of text; `more`: further attributes. */
export function text(x: number, y: number, fill: string, content: string, more = ''): string {
  return `<text x="${round(x)}" y="${round(y)}" fill="${fill}"${more && ` ${more}`}>${escaped(content)}</text>`;
}

export function box(x: number, y: number, width: number, height: number, fill: string, title = ''): string {
  const inside = title && `<title>${escaped(title)}</title>`;
  return `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" fill="${fill}">${inside}</rect>`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function escaped(content: string): string {
  return content.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;');
}
