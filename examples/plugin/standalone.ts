// Parley inside a program of one's own: an agent as an object, an action that is a function here, and what happens on the calls.
//   npm install parley && npx tsx standalone.ts
//   npx parley call --say "Where is my parcel?" --say "four seven one one"
import { createParley } from 'parley';

/** Stands for the program's own data. */
const parcels = new Map([['4711', { city: 'Hamburg', day: 'Tuesday' }]]);

const parley = await createParley({
  settings: {
    sip: { host: '127.0.0.1', port: 5060 },
    http: { enabled: false },
    log: { level: 'warn' },
  },
  // PARLEY_SIP_PORT, PARLEY_DATA and the like go over the settings.
  env: process.env,
  agents: [
    {
      name: 'parcels',
      greeting: 'Hello, this is the parcel desk. How can I help?',
      topics: [
        {
          name: 'where-is-it',
          examples: ['where is my parcel', 'when will my parcel arrive', 'track my parcel', 'has it been sent'],
          slots: [{ name: 'number', kind: 'digits', length: 4, ask: 'What are the four digits of your parcel?' }],
          action: 'findParcel',
          responses: [
            { when: 'parcel.found', say: 'It is in {{parcel.city}} and arrives on {{parcel.day}}.' },
            { say: 'I know no parcel of that number.' },
          ],
        },
      ],
      actions: [{ name: 'findParcel', type: 'function', parameters: { number: {} }, result: 'parcel', readOnly: true }],
    },
  ],
  actions: {
    findParcel({ number }) {
      const parcel = parcels.get(String(number));
      return parcel ? { found: true, ...parcel } : { found: false };
    },
  },
});

parley
  .on('call', ({ call, from, to }) => console.log(`${call}: ${from} calls ${to}`))
  .on('turn', (event) => console.log(event.type === 'agent.turn' ? `agent: ${event.heard}` : `caller: ${event.text}`))
  .on('end', ({ by, durationMs }) => console.log(`ended by ${by} after ${Math.round(durationMs / 1000)} s`));

console.log(`ready ${parley.sip}`);
process.once('SIGTERM', () => void parley.close());
process.once('SIGINT', () => void parley.close());
