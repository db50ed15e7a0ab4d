import { ParleyError, reasonOf } from '../../errors.js';
import type { Dialog, DialogEvents } from '../../sip/dialog.js';
import type { Invite } from '../../sip/invite.js';
import type { LegMedia } from './leg-media.js';

/** Nobody is told of a dialog any more whose place another has taken. */
const UNHEARD: DialogEvents = {
  ack: () => undefined,
  ended: () => undefined,
  offered: async () => {
    throw new Error('another phone has taken its place');
  },
};

/**
 * Answers the INVITE of a phone that takes the place of a leg's (RFC 3891): the leg's port and all that hears it stay.
 *
 * @returns undefined when it came to nothing; the leg is as it was then
 */
export async function takeOver(invite: Invite, media: LegMedia): Promise<Dialog | undefined> {
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
  dialog.listen(UNHEARD);
  void dialog.bye('replaced').catch(reasonOf);
}
