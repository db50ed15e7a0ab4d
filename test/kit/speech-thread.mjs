// Speaks and listens for the kit beside the thread that carries its RTP: either takes longer than a packet may be late.
import { parentPort } from 'node:worker_threads';
import { Moonshine } from '../../dist/speech/recognition/moonshine/moonshine.js';
import { FliteSynthesiser } from '../../dist/speech/synthesis/flite/flite.js';

let flite;
let moonshine;

const jobs = {
  async speak(text) {
    flite ??= FliteSynthesiser.load();
    const { pcm, sampleRate } = await (await flite).synthesise(text, { engine: 'flite', voice: 'rms', speed: 1 });
    if (sampleRate !== 16_000) throw new Error(`rms speaks at ${sampleRate} Hz, 16000 expected`);
    return pcm;
  },
  async transcribe(phrases) {
    moonshine ??= Moonshine.load();
    const recogniser = await moonshine;
    const texts = [];
    for (const pcm of phrases) texts.push((await recogniser.recognise(pcm)).text);
    return texts.filter(Boolean).join(' ');
  },
};

parentPort.on('message', async ({ id, job, given }) => {
  try {
    parentPort.postMessage({ id, result: await jobs[job](given) });
  } catch (error) {
    parentPort.postMessage({ id, error });
  }
});
