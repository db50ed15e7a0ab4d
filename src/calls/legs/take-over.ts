import { ParleyError, reasonOf } from '../../errors.js';
import { type Dialog, NOBODY, type ReplacingInvite } from '../../sip/dialog.js';
import type { LegMedia } from './leg-media.js';

/**
 * Answers the INVITE of a phone that takes the place of a leg's (RFC 3891): the leg's port and all that hears it stay.
 *
 * @returns undefined when it came to nothing; the leg is as it was then
 */
export async function takeOver(invite: ReplacingInvite, media: LegMedia): Promise<Dialog | undefined> {
  const restore = media.save();
  try {
    return await invite.answer(media.reoffered(invite.offer).sdp);
  } catch (error) {
    restore();
    invite.reject((error instanceof ParleyError && error.sip) || 488);
    return undefined;
  }
}

/** Hangs up a dialog whose place another has taken. */
export function letGo(dialog: Dialog): void {
  dialog.listen(NOBODY);
  void dialog.bye('replaced').catch(reasonOf);
}
