// The example's appointment book. It lives in memory, with a few appointments counted from today.

const HOURS = {
  morning: ['nine', 'nine thirty', 'ten fifteen', 'eleven'],
  afternoon: ['one thirty', 'two', 'three fifteen', 'four thirty'],
};
const WEEKS_AHEAD = 8;

const seeds = [
  { patient: 'Anna Miller', inDays: 3, time: 'ten fifteen' },
  { patient: 'James Carter', inDays: 6, time: 'two' },
  { patient: 'Maria Lopez', inDays: 9, time: 'nine thirty' },
];
/** Appointments by patient, in small letters. */
let calendar;

function appointments(now) {
  calendar ??= new Map(
    seeds.map(({ patient, inDays, time }) => [patient.toLowerCase(), { day: workday(now, inDays), time }]),
  );
  return calendar;
}

/** A free time on a day: `{ found, time }`, or the reason why there is none: closed, past, far. */
export async function findFreeTime({ day, time }, { now }) {
  const date = new Date(`${day}T12:00:00`);
  const days = (date.getTime() - now.getTime()) / 86_400_000;
  if (iso(date) <= iso(now)) return { found: false, reason: 'past' };
  if (days > WEEKS_AHEAD * 7) return { found: false, reason: 'far' };
  if (isWeekend(date)) return { found: false, reason: 'closed' };
  const taken = timesTaken(day, now);
  const free = (HOURS[time] ?? []).find((hour) => !taken.has(hour));
  return free ? { found: true, time: free } : { found: false, reason: 'closed' };
}

/** Books a time that was offered. `taken` when somebody was faster. */
export async function book({ day, time, patientName }, { now }) {
  if (timesTaken(day, now).has(time)) return { taken: true };
  appointments(now).set(patientName.toLowerCase(), { day, time });
  return { taken: false };
}

/** A patient's appointment: `{ found, day, time }`. Names that are heard a little wrong are found, too. */
export async function findAppointment({ patientName }, { now }) {
  const patient = nearestPatient(patientName, now);
  return patient ? { found: true, ...appointments(now).get(patient) } : { found: false };
}

/** Gives a patient's appointment up. */
export async function cancel({ patientName }, { now }) {
  const patient = nearestPatient(patientName, now);
  return { cancelled: patient !== undefined && appointments(now).delete(patient) };
}

/** A patient's appointment, and a free time on the day it is to be moved to. */
export async function findMove({ patientName, day, time }, context) {
  const old = await findAppointment({ patientName }, context);
  if (!old.found) return { found: false };
  const free = await findFreeTime({ day, time }, context);
  return { found: true, oldDay: old.day, reason: free.reason, time: free.time };
}

/** Moves a patient's appointment. */
export async function move({ patientName, day, time }, { now }) {
  const patient = nearestPatient(patientName, now);
  if (!patient) return { moved: false };
  appointments(now).set(patient, { day, time });
  return { moved: true };
}

function timesTaken(day, now) {
  return new Set([...appointments(now).values()].filter((entry) => entry.day === day).map((entry) => entry.time));
}

function nearestPatient(name, now) {
  const wanted = name.toLowerCase();
  const close = [...appointments(now).keys()].map((patient) => ({ patient, distance: editDistance(patient, wanted) }));
  close.sort((a, b) => a.distance - b.distance);
  return close[0] && close[0].distance <= 2 ? close[0].patient : undefined;
}

function editDistance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

function workday(now, days) {
  const date = new Date(now.getFullYear(), now.getMonth(), now.getDate() + days, 12);
  while (isWeekend(date)) date.setDate(date.getDate() + 1);
  return iso(date);
}

function isWeekend(date) {
  return date.getDay() === 0 || date.getDay() === 6;
}

function iso(date) {
  const two = (number) => String(number).padStart(2, '0');
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}
