// A foreign tus client, tus-js-client, brings a phone's attachment to headquarters: refused without a record that
// names it, broken off in the middle and resumed, with chunks and without. Then the phone gets its receipt without
// sending a byte of it again, and headquarters open the very bytes that were attached.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { FileUrlStorage, Upload } from "tus-js-client";
import { Link, Stage, freeAddress } from "./stage.mjs";

/// Uploads a sealed file; returns the client, and how many bytes the server said it had where it was asked.
async function bring(stage, endpoint, sealed, options) {
    let begunAt;
    let upload;
    await new Promise((resolve, reject) => {
        upload = new Upload(createReadStream(sealed.path), {
            endpoint,
            metadata: { sha256: sealed.name, token: sealed.token },
            urlStorage: new FileUrlStorage(stage.path("urls.json")),
            retryDelays: null,
            ...options,
            onSuccess: resolve,
            onError: reject,
            onAfterResponse(request, response) {
                if (request.getMethod() === "HEAD") {
                    begunAt = Number(response.getHeader("Upload-Offset"));
                }
            },
        });
        upload.findPreviousUploads().then((previous) => {
            if (previous.length > 0) {
                upload.resumeFromPreviousUpload(previous[0]);
            }
            upload.start();
        }, reject);
    });
    return { begunAt, upload };
}

/// How many bytes of an upload the server has.
async function held(url) {
    const answer = await fetch(url, { method: "HEAD", headers: { "Tus-Resumable": "1.0.0" } });
    return Number(answer.headers.get("Upload-Offset"));
}

const ways = {
    "in one request": {},
    "in chunks of 100,000 bytes": { chunkSize: 100_000 },
};

await Stage.play(await freeAddress(), false, async (stage) => {
    const link = await Link.to(new URL(stage.url).port);
    const endpoint = `${link.url}/v1/blobs`;
    for (const [note, options] of Object.entries(ways)) {
        const recording = randomBytes(3_000_000);
        const file = stage.path("recording.bin");
        await writeFile(file, recording);
        await stage.phone("report", 99, "--note", note, "--attach", file);
        // Out of the phone's sight, so that it sends the record alone.
        const home = await stage.sealed();
        const sealed = { name: home.name, path: stage.path(home.name), token: randomBytes(16).toString("hex") };
        await rename(home.path, sealed.path);
        const { size } = await stat(sealed.path);

        const refused = (error) => error.originalResponse?.getStatus() === 403;
        await assert.rejects(bring(stage, endpoint, sealed, options), refused);
        const alone = await stage.syncLeavesSome();
        assert.deepEqual([alone.delivered, alone.attachments_missing], [1, 1]);
        assert.equal(await stage.state(), "received");

        link.left = size / 2;
        const cut = (error) => error.originalRequest?.getMethod() === "PATCH" && error.originalResponse === null;
        await assert.rejects(bring(stage, endpoint, sealed, options), cut);
        link.left = Infinity;
        const { begunAt, upload } = await bring(stage, endpoint, sealed, options);
        assert(0 < begunAt && begunAt <= size / 2, `resumed at ${begunAt} of ${size}`);
        assert.equal(await held(upload.url), size);

        await rename(sealed.path, home.path);
        const whole = await stage.phone("sync");
        assert.equal(whole.attachments_delivered, 1);
        // Asking for the receipt takes no body, the question for the desk's word little.
        // A question is padded to 4 KiB; a file that goes again is far larger.
        assert(whole.bytes_sent <= 4096, `sent again: ${whole.bytes_sent} bytes`);
        assert.equal(await stage.state(), "delivered");
        await rm(home.path);
        assert(recording.equals(await readFile(await stage.opened(note))), "other bytes arrived");
        console.log(`tus-js-client, ${note}: broken off, resumed at ${begunAt} of ${size} bytes, signed for`);
    }
    link.close();
});
