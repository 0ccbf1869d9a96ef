import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, test } from 'node:test';
import { type Channel, DeployFault, deploy } from '../../host/deploy/deployment.js';
import { makeKeys, readPrivateKey } from '../../host/deploy/keys.js';
import { type Answer, AWAITS_OFFER, CHUNK, GO_ON, KEPT, OFFER } from '../../host/deploy/messages.js';
import { signModule } from '../../host/deploy/module-file.js';

/** A board that answers each message at once; undefined: not at all. */
function peer(answers: (kind: number | undefined) => Partial<Answer> | undefined): Channel {
  let tell = (_: Answer) => {};
  return {
    send(message) {
      const answer = answers(message[0]);
      if (answer) setImmediate(() => tell({ status: GO_ON, offset: 0, text: '', ...answer }));
    },
    listen(heard) {
      tell = heard;
    },
  };
}

function signed(): Buffer {
  const directory = mkdtempSync(`${tmpdir()}/twobyte-deployment-`);
  try {
    const key = readPrivateKey(makeKeys(directory).privateKey);
    return signModule(Buffer.alloc(1000), { version: 1, name: 'zeros', boundary: 1 }, key);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

describe('a deployment ends when it does not get on, also where the board', () => {
  const stuck: [what: string, answers: Parameters<typeof peer>[0], words: RegExp][] = [
    ['is silent', () => undefined, /nothing was heard of the board for \d+ s/],
    ['asks for the header again and again', () => ({ offset: AWAITS_OFFER }), /the board answers, and takes nothing more for/],
    [
      'forgets what it has again and again',
      (kind) => ({ offset: kind === OFFER ? 0 : AWAITS_OFFER }),
      /the board answers, and takes nothing more for/,
    ],
    [
      'says that it keeps the module, and nothing else',
      (kind) => (kind === OFFER || kind === CHUNK ? { status: KEPT } : { status: KEPT, text: 'about to start' }),
      /nothing was heard of the new module for/,
    ],
  ];
  for (const [what, answers, words] of stuck)
    test(what, { timeout: 10_000 }, () =>
      assert.rejects(deploy(peer(answers), signed(), { answerMs: 20, patienceMs: 300 }), (error: Error) => {
        assert.match(error.message, words);
        return error instanceof DeployFault;
      }),
    );
});
