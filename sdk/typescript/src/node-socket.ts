import { createHash, randomBytes } from "node:crypto";
import { request as httpRequest } from "node:http";
import { request as httpsRequest } from "node:https";
import type { Socket } from "node:net";
import { ConnectionError } from "./errors.js";
import type { SocketListener, TextSocket } from "./socket.js";

// RFC 6455, as much of it as a client of text messages needs.
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const TEXT = 1;
const CLOSE = 8;
const PING = 9;
const PONG = 10;
const LARGEST_MESSAGE = 64 * 1024 * 1024;

/** A WebSocket client for Node before 22. */
export function openNodeSocket(url: string, listener: SocketListener): Promise<TextSocket> {
  const target = new URL(url.replace(/^ws/, "http"));
  const key = randomBytes(16).toString("base64");
  const send = target.protocol === "https:" ? httpsRequest : httpRequest;
  return new Promise((resolve, reject) => {
    const request = send(target, {
      headers: { Connection: "Upgrade", Upgrade: "websocket", "Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": key },
    });
    request.on("error", (fault) => reject(new ConnectionError(`cannot open a WebSocket to ${target.host}: ${fault.message}`, { cause: fault })));
    request.on("response", (response) => {
      response.resume();
      reject(new ConnectionError(`${target.host} refused the WebSocket with status ${response.statusCode}`));
    });
    request.on("upgrade", (response, socket, head) => {
      if (response.headers["sec-websocket-accept"] !== createHash("sha1").update(key + GUID).digest("base64")) {
        socket.destroy();
        reject(new ConnectionError(`${target.host} does not speak WebSocket here`));
        return;
      }
      resolve(new NodeSocket(socket as Socket, head, listener));
    });
    request.end();
  });
}

class NodeSocket implements TextSocket {
  private unread: Buffer = Buffer.alloc(0);
  private parts: Buffer[] = [];
  private closing = false;
  private ended = false;

  constructor(
    private readonly socket: Socket,
    head: Buffer,
    private readonly listener: SocketListener,
  ) {
    socket.setNoDelay(true);
    socket.on("data", (data: Buffer) => this.take(data));
    socket.on("error", (fault) => this.end(fault));
    socket.on("close", () => this.end(this.closing ? undefined : new Error("the connection broke")));
    // After the caller has the socket and listens.
    if (head.length > 0) queueMicrotask(() => this.take(head));
  }

  send(text: string): void {
    if (this.closing) throw new ConnectionError("the WebSocket is closed");
    this.write(TEXT, Buffer.from(text));
  }

  close(): void {
    if (this.closing) return;
    this.write(CLOSE, Buffer.from([0x03, 0xe8]));
    this.closing = true;
    // A peer that does not answer the farewell is not waited for.
    setTimeout(() => this.socket.destroy(), 1000).unref();
  }

  private write(opcode: number, payload: Buffer): void {
    const mask = randomBytes(4);
    const length = payload.length;
    const head = length < 126 ? Buffer.alloc(2) : length < 65536 ? Buffer.alloc(4) : Buffer.alloc(10);
    head[0] = 0x80 | opcode;
    if (length < 126) {
      head[1] = 0x80 | length;
    } else if (length < 65536) {
      head[1] = 0x80 | 126;
      head.writeUInt16BE(length, 2);
    } else {
      head[1] = 0x80 | 127;
      head.writeBigUInt64BE(BigInt(length), 2);
    }
    const masked = Buffer.from(payload);
    for (let i = 0; i < masked.length; i++) masked[i]! ^= mask[i & 3]!;
    this.socket.write(Buffer.concat([head, mask, masked]));
  }

  private take(data: Buffer): void {
    this.unread = this.unread.length === 0 ? data : Buffer.concat([this.unread, data]);
    for (let frame = this.frame(); frame !== undefined; frame = this.frame()) this.handle(frame);
  }

  /** The next whole frame, or undefined until more has come. */
  private frame(): { final: boolean; opcode: number; payload: Buffer } | undefined {
    const bytes = this.unread;
    if (bytes.length < 2) return undefined;
    let length = bytes[1]! & 0x7f;
    let start = 2;
    if (length === 126) {
      if (bytes.length < 4) return undefined;
      length = bytes.readUInt16BE(2);
      start = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return undefined;
      length = Number(bytes.readBigUInt64BE(2));
      start = 10;
    }
    if (length > LARGEST_MESSAGE) {
      this.socket.destroy(new Error(`the server sent a message of ${length} bytes`));
      return undefined;
    }
    if (bytes.length < start + length) return undefined;
    this.unread = bytes.subarray(start + length);
    return { final: (bytes[0]! & 0x80) !== 0, opcode: bytes[0]! & 0x0f, payload: bytes.subarray(start, start + length) };
  }

  private handle({ final, opcode, payload }: { final: boolean; opcode: number; payload: Buffer }): void {
    if (opcode === PING) {
      this.write(PONG, payload);
    } else if (opcode === CLOSE) {
      if (!this.closing) this.write(CLOSE, payload.subarray(0, 2));
      this.closing = true;
      this.socket.end();
      this.end();
    } else if (opcode !== PONG) {
      this.parts.push(payload);
      if (!final) return;
      const text = Buffer.concat(this.parts).toString("utf8");
      this.parts = [];
      this.listener.message(text);
    }
  }

  private end(fault?: Error): void {
    if (this.ended) return;
    this.ended = true;
    this.listener.closed(fault);
  }
}
