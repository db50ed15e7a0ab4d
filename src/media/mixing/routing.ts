/**
 * Who hears whom, by name. A `conference` hears what its members say; a `bridge` is one of two. `listen` hears all that
 * is said, or all `except` some, or `only` some, whatever they are themselves; `whisper` hears all too, and is heard by one; `barge` hears all and is
 * heard by all who take part. `play` is heard by some and hears nobody: music, or the agent's briefing of a person.
 * `apart` neither hears nor is heard.
 */
export type MixMode =
  | { mode: 'bridge'; between: readonly [string, string] }
  | { mode: 'conference'; members: readonly string[] }
  | { mode: 'listen'; who: string; only?: readonly string[]; except?: readonly string[] }
  | { mode: 'whisper'; who: string; to: string }
  | { mode: 'barge'; who: string }
  | { mode: 'play'; from: string; to: readonly string[] }
  | { mode: 'apart'; who: string };

/** What a mode makes of one participant. */
export type Role = { mode: 'member'; group: number } | Exclude<MixMode, { mode: 'bridge' | 'conference' }>;

/** Whose role a mode sets. */
export function concerned(mode: MixMode): readonly string[] {
  switch (mode.mode) {
    case 'bridge':
      return mode.between;
    case 'conference':
      return mode.members;
    case 'play':
      return [mode.from];
    default:
      return [mode.who];
  }
}

/** What a mode makes of those it concerns. @param group a number that no other conference of the room has */
export function roleOf(mode: MixMode, group: number): Role {
  return mode.mode === 'bridge' || mode.mode === 'conference' ? { mode: 'member', group } : mode;
}

/** Whether the one hears the other by their roles. */
export function isHeard(from: string, speaker: Role, to: string, hearer: Role): boolean {
  return from !== to && (reaches(speaker, to, hearer) || overhears(hearer, from, speaker));
}

/** Whether what `speaker` says is meant for the hearer. */
function reaches(speaker: Role, to: string, hearer: Role): boolean {
  switch (speaker.mode) {
    case 'member':
      return hearer.mode === 'member' && hearer.group === speaker.group;
    case 'play':
      return speaker.to.includes(to);
    case 'whisper':
      return speaker.to === to;
    case 'barge':
      return hearer.mode === 'member';
    default:
      return false;
  }
}

/** Whether the hearer is one that hears what others say to each other. */
function overhears(hearer: Role, from: string, speaker: Role): boolean {
  const takesPart = speaker.mode !== 'apart' && speaker.mode !== 'listen';
  switch (hearer.mode) {
    case 'listen':
      return hearer.only ? hearer.only.includes(from) : takesPart && !hearer.except?.includes(from);
    case 'whisper':
    case 'barge':
      return takesPart;
    default:
      return false;
  }
}
