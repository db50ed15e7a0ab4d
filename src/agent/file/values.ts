import { z } from 'zod';
import { reasonOf } from '../../errors.js';
import { compileCondition } from './condition.js';
import { compileTemplate } from './template.js';

/** A name in an agent file: letters, digits, "-" and "_". */
export const name = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]*$/, 'a name starts with a letter and holds letters, digits, "-" and "_"');

/** Text that is spoken, with `{{placeholders}}`. */
export const speech = z
  .string()
  .min(1)
  .superRefine((text, context) => {
    try {
      compileTemplate(text);
    } catch (error) {
      const params = { hint: 'Placeholders look like {{order.status}} or {{orderNumber | digits}}.' };
      context.addIssue({ code: 'custom', message: reasonOf(error), params });
    }
  });

/** One wording, or several that are used in turn. Always a list once read. */
export const wordings = z.union([speech, z.array(speech).min(1)]).transform((value) => [value].flat());

/** A `when:` expression. */
export const condition = z.string().transform((source, context) => {
  try {
    return compileCondition(source);
  } catch (error) {
    const params = { hint: `Write for example: when: "order.status == 'shipped' and not order.late"` };
    context.addIssue({ code: 'custom', message: `"${source}": ${reasonOf(error)}`, params });
    return z.NEVER;
  }
});
