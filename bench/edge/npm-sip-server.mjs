// The same calls answered by npm `sip`, the transport and transactions of which people build such servers. Argument: port.
import sip from 'sip';

const port = Number(process.argv[2]);
const ANSWER = 'v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\nm=audio 30002 RTP/AVP 0\r\n';
let tag = 0;

sip.start({ port, address: '127.0.0.1', publicAddress: '127.0.0.1' }, (request) => {
  if (request.method === 'ACK') return;
  const response = sip.makeResponse(request, 200, 'OK');
  if (request.method === 'INVITE') {
    response.headers.to.params.tag = `t${tag++}`;
    response.headers.contact = [{ uri: `sip:bench@127.0.0.1:${port}` }];
    response.headers['content-type'] = 'application/sdp';
    response.content = ANSWER;
  }
  sip.send(response);
});
console.log('ready');
