// Real headquarters and a real phone, each a process of the program.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";

const program = process.env.TESTIGO;
assert(program, "TESTIGO must name the program");

function testigo(status, ...words) {
    return new Promise((resolve, reject) => {
        execFile(program, ["--json", ...words.map(String)], (error, out, err) => {
            const ended = error ? error.code : 0;
            ended === status ? resolve(JSON.parse(out)) : reject(new Error(`${words}: ${ended}: ${out}${err}`));
        });
    });
}

/// Headquarters, told to phones under `endpoint`, and a phone that has enrolled without a network.
export class Stage {
    /// Calls `act` with headquarters that serve on the port that `endpoint` has, or on one of their own behind it.
    static async play(endpoint, behind, act) {
        const stage = new Stage();
        stage.folder = await mkdtemp(join(tmpdir(), "testigo-"));
        try {
            await stage.#begin(endpoint, behind);
            await act(stage);
        } finally {
            stage.serving?.stdin.end();
            if (stage.serving?.exitCode === null) {
                await new Promise((ended) => stage.serving.once("exit", ended));
            }
            await rm(stage.folder, { recursive: true });
        }
    }

    async #begin(endpoint, behind) {
        const image = this.path("witness.png");
        await this.hq("init", "--endpoint", endpoint);
        await this.hq("enrol", "--table", "201301006.01", "--out", image);
        await this.phone("init");
        await this.phone("enrol", "--qr", image, "--keyset", this.path("hq", "public", "keyset.cose"));
        const listen = behind ? "127.0.0.1:0" : endpoint.replace("http://", "");
        const words = ["--json", "hq", "--data", this.path("hq"), "serve", "--listen", listen, "--until-stdin-closes"];
        this.serving = spawn(program, words, { stdio: ["pipe", "pipe", "inherit"] });
        const [line] = await new Promise((said) => createInterface(this.serving.stdout).once("line", (...l) => said(l)));
        this.url = JSON.parse(line).listening;
    }

    path(...names) {
        return join(this.folder, ...names);
    }

    hq(...words) {
        return testigo(0, "hq", "--data", this.path("hq"), ...words);
    }

    phone(...words) {
        return testigo(0, "phone", "--home", this.path("phone"), ...words);
    }

    /// A sync after which something is still left.
    syncLeavesSome() {
        return testigo(1, "phone", "--home", this.path("phone"), "sync");
    }

    /// How far the phone's latest record has come.
    async state() {
        return (await this.phone("list"))[0].state;
    }

    /// The phone's only sealed file.
    async sealed() {
        const names = await readdir(this.path("phone", "blobs"));
        assert.equal(names.length, 1);
        return { name: names[0], path: this.path("phone", "blobs", names[0]) };
    }

    /// What headquarters open of the record with this note, once the desk has come to it.
    async opened(note) {
        for (const until = Date.now() + 120_000; ; ) {
            const { incidents } = (await this.hq("table")).incidents;
            const found = incidents.find((incident) => incident.note === note);
            if (found) {
                const [file, ...more] = found.attachments.files;
                assert.equal(more.length, 0);
                const out = this.path(`opened ${file.id}`);
                await this.hq("blob", file.id, "--out", out);
                return out;
            }
            assert(Date.now() < until, "the desk does not come to an end");
        }
    }
}

/// Leads connections on to a port. Behind `left` more bytes to there it is cut off, until more may pass.
export class Link {
    left = Infinity;

    static async to(port) {
        const link = new Link();
        link.server = createServer((near) => link.#pass(port, near));
        link.url = `http://127.0.0.1:${await listen(link.server)}`;
        return link;
    }

    #pass(port, near) {
        const far = connect(port, "127.0.0.1");
        for (const end of [near, far]) {
            end.on("error", () => {});
            // What has passed arrives.
            end.on("close", () => (near.destroySoon(), far.destroySoon()));
        }
        far.pipe(near);
        near.on("data", (bytes) => {
            far.write(bytes.subarray(0, Math.max(this.left, 0)));
            this.left -= bytes.length;
            if (this.left <= 0) {
                near.destroy();
            }
        });
    }

    close() {
        this.server.close();
    }
}

/// Listens on a port of the system's choice.
export async function listen(server) {
    await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
    return server.address().port;
}

/// An address on which nobody listens yet.
export async function freeAddress() {
    const server = createServer();
    const port = await listen(server);
    await new Promise((closed) => server.close(closed));
    return `http://127.0.0.1:${port}`;
}
