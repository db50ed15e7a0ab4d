// What the edge is measured with behind it: answers every call but those to "ringing". Arguments: port, secret.
import Srf from 'drachtio-srf';

const [port, secret] = process.argv.slice(2);
const ANSWER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30002 RTP/AVP 0\r\n';

const srf = new Srf();
srf.invite(async (req, res) => {
  if (req.calledNumber === 'ringing') {
    res.send(180);
    return;
  }
  try {
    const dialog = await srf.createUAS(req, res, { localSdp: ANSWER });
    dialog.on('destroy', () => undefined);
  } catch (error) {
    console.error(error.message);
  }
});
srf.on('connect', (error) => console.log(error ? error.message : 'ready'));
srf.on('error', (error) => console.error(error.message));
srf.connect({ host: '127.0.0.1', port: Number(port), secret });
