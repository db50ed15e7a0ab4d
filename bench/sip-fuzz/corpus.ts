/** Well-formed messages and session descriptions to start from. */

const SDP_LINES = [
  'v=0',
  'o=- 20518 0 IN IP4 192.0.2.1',
  's=-',
  'c=IN IP4 192.0.2.1',
  't=0 0',
  'm=audio 54400 RTP/AVP 0 8 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-16',
  'a=ptime:20',
  'a=maxptime:150',
  'a=sendrecv',
  'm=video 51372 RTP/AVP 31 32',
  'a=rtpmap:31 H261/90000',
];

const SDP = `${SDP_LINES.join('\r\n')}\r\n`;

/** Offers and answers. */
export const DESCRIPTIONS: readonly string[] = [
  SDP,
  SDP.replaceAll('IN IP4 192.0.2.1', 'IN IP6 2001:db8::1').replace('sendrecv', 'sendonly'),
  'v=0\r\no=a 1 1 IN IP4 h\r\ns= \r\nt=0 0\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVC\r\nm=audio 0 RTP/SAVP 9\r\nc=IN IP4 0.0.0.0\r\n',
  'v=0\no=a 1 1 IN IP4 h\ns=-\nb=AS:64\nt=0 0\na=group:BUNDLE 0\nm=audio 9/2 UDP/TLS/RTP/SAVPF 111 0\na=rtcp-mux\na=mid:0\n',
];

function message(lines: readonly string[], body = ''): string {
  return `${[...lines, `Content-Length: ${body.length}`].join('\r\n')}\r\n\r\n${body}`;
}

/** SIP messages that use most of the grammar. */
export const MESSAGES: readonly string[] = [
  message(
    [
      'INVITE sip:+14155550100;phone-context=example.com@127.0.0.1:5060;user=phone;transport=udp SIP/2.0',
      'Via: SIP/2.0/UDP pc33.example.com:5060;branch=z9hG4bK776asdhds;rport, SIP / 2.0 / TCP [2001:db8::9:1] ;branch=z9hG4bK1',
      'v: SIP/2.0/TLS 192.0.2.4;ttl=16;maddr=224.2.0.1;received=192.0.2.207',
      'Max-Forwards: 70',
      'To: "Bob \\"the\\" Builder" <sips:bob%40home@example.com;lr?subject=a%20b>',
      'f: Alice <sip:alice@example.com>;tag=1928301774;x="a;b,c"',
      'i: a84b4c76e66710@pc33.example.com',
      'CSeq: 0314159 INVITE',
      'm: <sip:alice@pc33.example.com;transport=tcp>;q=0.7;expires=3600, "Other, one" <mailto:a@b>',
      'Record-Route: <sip:p1.example.com;lr>, <sip:p2.example.com;lr=on>',
      'Route: <sip:127.0.0.1;lr>',
      'k: 100rel, timer, replaces',
      'Require: timer',
      'x: 1800;refresher=uac',
      'Authorization: Digest username="a", realm="b", nonce="c", uri="sip:d", response="e"',
      'Subject: folded',
      ' over',
      '\tlines',
      'Timestamp: 54.12',
      'Content-Type: application/sdp',
    ],
    SDP,
  ),
  message([
    'REGISTER sip:example.com SIP/2.0',
    'Via: SIP/2.0/UDP 192.0.2.10;branch=z9hG4bKnashds7',
    'From: Bob <sip:bob@example.com>;tag=456248',
    'To: Bob <sip:bob@example.com>',
    'Call-ID: 843817637684230@998sdasdh09',
    'CSeq: 1826 REGISTER',
    'Contact: *',
    'Expires: 0',
  ]),
  message([
    'SIP/2.0 183 Session Progress',
    'Via: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKdeadbeef;received=127.0.0.1;rport=5060',
    'From: <sip:a@h>;tag=1',
    'To: <sip:b@h>;tag=2',
    'Call-ID: 1@h',
    'CSeq: 1 INVITE',
    'RSeq: 988789',
    'Require: 100rel',
    'Contact: <sip:b@[::1]:5060>',
  ]),
  message(
    [
      'PRACK sip:b@127.0.0.1 SIP/2.0',
      'Via: SIP/2.0/TCP h;branch=z9hG4bKp',
      'From: sip:a@h;tag=1',
      'To: sip:b@h;tag=2',
      'Call-ID: 1@h',
      'CSeq: 2 PRACK',
      'RAck: 988789 1 INVITE',
      'Content-Type: multipart/mixed;boundary="b"',
    ],
    '--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--\r\n',
  ),
  message([
    'SUBSCRIBE tel:+1-201-555-0123 SIP/2.0',
    'Via: SIP/2.0/UDP h;branch=z9hG4bKs',
    'From: <tel:+1>;tag=1',
    'To: <tel:+1-201-555-0123>',
    'Call-ID: s@h',
    'CSeq: 1 SUBSCRIBE',
    'o: presence;id=1',
    'Accept: application/pidf+xml;q=0.5, */*',
    'Warning: 307 isi.edu "Session parameter \'foo\' not understood"',
    'Refer-To: <sip:d@h?Replaces=12345%40h%3Bto-tag%3D1%3Bfrom-tag%3D2>',
  ]),
];
