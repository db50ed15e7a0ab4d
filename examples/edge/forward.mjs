// Forwards every call to another SIP server, as a back-to-back user agent: `node examples/edge/forward.mjs sip.example.com`
import Srf from 'drachtio-srf';

const [next = '127.0.0.1:5080', port = '9022', secret = 'cymru'] = process.argv.slice(2);
const srf = new Srf();

srf.on('connect', (error, hostport) => console.log(error ? `refused: ${error.message}` : `connected: ${hostport}`));
srf.on('error', (error) => console.log(`no edge: ${error.message}`));
srf.options((_req, res) => res.send(200));
srf.invite(async (req, res) => {
  try {
    const { uas, uac } = await srf.createB2BUA(req, res, `sip:${req.calledNumber}@${next}`, { localSdpB: req.body });
    console.log(`${req.callingNumber} talks to ${req.calledNumber}`);
    uas.on('destroy', () => uac.destroy());
    uac.on('destroy', () => uas.destroy());
  } catch (error) {
    console.log(`${req.calledNumber}: ${error.status ?? error.message}`);
  }
});
srf.connect({ host: '127.0.0.1', port: Number(port), secret });
