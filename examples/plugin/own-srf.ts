// A drachtio-srf application that keeps its own routes and gives some calls to Parley: 8001 by the dialplan, 82xx by the
// application's own choice, everything else stays where it was.
//   npx parley edge --secret cymru           (or a drachtio-server)
//   npx tsx own-srf.ts 127.0.0.1 9022 cymru
import Srf from 'drachtio-srf';
import { createParley } from 'parley';

const [host = '127.0.0.1', port = '9022', secret = 'cymru'] = process.argv.slice(2);
const srf = new Srf();

const parley = await createParley({
  srf,
  settings: { http: { enabled: false }, log: { level: 'warn' } },
  env: process.env,
  agents: [
    {
      name: 'reception',
      greeting: 'Good morning, this is reception.',
      topics: [
        {
          name: 'hours',
          examples: ['when are you open', 'what are your opening hours'],
          say: 'We are open until six.',
        },
      ],
    },
    { name: 'claims', variables: { customer: {} }, greeting: 'Hello, customer {{customer}}. This is the claims line.' },
  ],
  dialplan: [{ name: 'reception', match: { to: '8001' }, answer: { agent: 'reception' } }],
});

const claims = (customer: string) => parley.handler({ agent: 'claims', variables: { customer } });

// What the dialplan has nothing for goes on to the next route.
srf.use('invite', parley.handler());
srf.use('invite', (req, res, next) => {
  const [, customer] = /^82(\d\d)$/.exec(req.calledNumber) ?? [];
  if (customer === undefined) return next();
  claims(customer)(req, res);
});
srf.invite((_req, res) => res.send(486));
srf.use('options', (_req, res) => res.send(200));

parley.on('transfer', (event) => console.log(event.type, event.target ?? ''));
parley.on('end', ({ call, by }) => console.log(`${call} ended by ${by}`));

srf.on('connect', (error, hostport) => console.log(error ? `refused: ${error.message}` : `ready ${hostport}`));
srf.on('error', (error) => console.log(`no drachtio-server: ${error.message}`));
srf.connect({ host, port: Number(port), secret });
process.once('SIGTERM', () => void parley.close().then(() => srf.disconnect()));
