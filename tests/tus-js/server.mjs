// A phone brings its attachment to a foreign tus server, @tus/server: broken off in the middle and resumed, whole, and
// still not called delivered, for that server cannot sign for headquarters. Led to headquarters, it is delivered.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFile, writeFile } from "node:fs/promises";
import { createServer, request } from "node:http";
import { FileStore } from "@tus/file-store";
import { Server } from "@tus/server";
import { Link, Stage, listen } from "./stage.mjs";

/// What phones call headquarters: leads records to them, and files to whoever is to have them.
class Front {
    asked = [];
    files = null;

    handle(asked, answer) {
        const { method, url, headers } = asked;
        const ofFile = url.startsWith("/v1/blobs");
        if (ofFile) {
            const [offset, length] = ["upload-offset", "content-length"].map((name) => Number(headers[name]));
            this.asked.push({ method, url, offset, length });
        }
        if (ofFile && this.files) {
            this.files.handle(asked, answer);
            return;
        }
        const onward = request(new URL(url, this.headquarters), { method, headers }, (answered) => {
            answer.writeHead(answered.statusCode, answered.rawHeaders);
            answered.pipe(answer);
        });
        onward.on("error", () => answer.destroy());
        asked.pipe(onward);
    }

    /// What was asked about files since the last time.
    takeAsked() {
        return this.asked.splice(0);
    }
}

const front = new Front();
const server = createServer((asked, answer) => front.handle(asked, answer));
const link = await Link.to(await listen(server));

await Stage.play(link.url, true, async (stage) => {
    front.headquarters = stage.url;
    const directory = stage.path("foreign");
    front.files = new Server({ path: "/v1/blobs", datastore: new FileStore({ directory }) });

    const recording = randomBytes(1_000_000);
    const file = stage.path("recording.bin");
    await writeFile(file, recording);
    await stage.phone("report", 99, "--note", "foreign", "--attach", file);
    const sealed = await readFile((await stage.sealed()).path);

    link.left = 400_000;
    const cut = await stage.syncLeavesSome();
    assert.equal(cut.delivered, 1);
    assert.equal(cut.failure.code, "no-network");
    assert.equal(await stage.state(), "received");
    assert.deepEqual([...new Set(front.takeAsked().map((asked) => asked.method))], ["POST", "PATCH"]);

    link.left = Infinity;
    const whole = await stage.syncLeavesSome();
    assert.equal(whole.failure, null);
    assert.deepEqual([whole.attachments_delivered, whole.attachments_remaining], [0, 1]);
    assert.equal(await stage.state(), "received", "no receipt of headquarters, and called delivered");
    const [head, ...chunks] = front.takeAsked();
    assert.equal(head.method, "HEAD");
    assert(chunks.every((asked) => asked.method === "PATCH"));
    const begunAt = chunks[0].offset;
    assert(begunAt > 0, "begun anew");
    const sent = chunks.reduce((sum, asked) => sum + asked.length, 0);
    assert.equal(sent, sealed.length - begunAt);
    const there = await readFile(stage.path("foreign", head.url.split("/").at(-1)));
    assert(sealed.equals(there), "the foreign server holds other bytes");
    console.log(`@tus/server: cut off, resumed at ${begunAt} of ${sealed.length} bytes, whole, not called delivered`);

    // From here on as it should be.
    front.files = null;
    const delivered = await stage.phone("sync");
    assert.deepEqual([delivered.attachments_delivered, delivered.attachments_remaining], [1, 0]);
    assert.equal(await stage.state(), "delivered");
    assert(recording.equals(await readFile(await stage.opened("foreign"))), "other bytes arrived");
    console.log("@tus/server: led to headquarters, the file is signed for and delivered");
});

link.close();
server.close();
