/** Payment cards have so many digits (ISO/IEC 7812). */
const CARD = { least: 13, most: 19 };
const DIGITS = /(?<![\w.+])\d(?:[ -]?\d){12,18}(?![\w.])/g;

/** What is a secret wherever it stands: tokens of ours, credentials of HTTP and SIP, and values that say that they are one. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\bho-[0-9a-hjkmnp-tv-z]{32}(?![0-9a-z])/gi, 'ho-***'],
  [/\bparley_[\w-]{43}/g, 'parley_***'],
  [/\b(Bearer|Basic) +[^\s"'\\,]+/gi, '$1 ***'],
  [/\b(response|password|secret|api[-_]?key|access_token)(=\\?"?)[^\s"'\\,;&]+/gi, '$1$2***'],
  // A key of JSON, also of JSON in a text.
  [
    /("(?:password|secret|token|api[-_]?key|access_token|(?:proxy-)?authorization)\\*":\\*")(?:[^"\\]|\\[^"])+/gi,
    '$1***',
  ],
  [/\b([a-z][a-z+.-]*:\/\/)[^\s/@"'\\]*:[^\s/@"'\\]*@/gi, '$1***@'],
  // Keys of SRTP in a session description.
  [/\binline:[\w+/=]{20,}/g, 'inline:***'],
];

/** A text without the secrets that can be told by their form. JSON stays JSON. */
export function withoutSecrets(text: string): string {
  const masked = SECRETS.reduce((rest, [pattern, instead]) => rest.replace(pattern, instead), text);
  return masked.replace(DIGITS, (run, at: number) => {
    const digits = run.replace(/\D/g, '');
    // Numbers of JSON are times and counts.
    const isValue = /[:[,]/.test(masked.charAt(at - 1));
    const isCard = digits.length >= CARD.least && digits.length <= CARD.most && passesLuhn(digits);
    return isCard && !isValue ? run.replace(/\d/g, '*') : run;
  });
}

/** Whether the last digit is the check digit of the others (ISO/IEC 7812-1, Annex B). */
export function passesLuhn(digits: string): boolean {
  let sum = 0;
  for (let at = 0; at < digits.length; at++) {
    const digit = Number(digits[digits.length - 1 - at]);
    const twice = at % 2 === 1 ? 2 * digit : digit;
    sum += twice > 9 ? twice - 9 : twice;
  }
  return sum % 10 === 0;
}
