import { ConnectionError } from "./errors.js";

/** A WebSocket of text messages. */
export interface TextSocket {
  send(text: string): void;
  close(): void;
}

export interface SocketListener {
  message(text: string): void;
  /** Once, at the end; with what went wrong, if something did. */
  closed(fault?: Error): void;
}

/** Opens a WebSocket with what the runtime has: its own, or, on Node before 22, a small one over `node:http`. */
export async function openSocket(url: string, listener: SocketListener): Promise<TextSocket> {
  if (typeof WebSocket === "function") return openGlobal(url, listener);
  if (typeof process === "object" && process.versions?.node) return (await import("./node-socket.js")).openNodeSocket(url, listener);
  throw new ConnectionError("this runtime has no WebSocket: sessions with input or a terminal do not work here");
}

function openGlobal(url: string, listener: SocketListener): Promise<TextSocket> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url);
    let isOpen = false;
    socket.onopen = () => {
      isOpen = true;
      resolve({ send: (text) => socket.send(text), close: () => socket.close(1000) });
    };
    socket.onmessage = (event) => listener.message(String(event.data));
    socket.onerror = () => {
      if (!isOpen) reject(new ConnectionError(`cannot open a WebSocket to ${url.replace(/\?.*/, "")}`));
    };
    socket.onclose = (event) => listener.closed(event.code === 1000 ? undefined : new Error(`the WebSocket was closed with ${event.code} ${event.reason}`.trim()));
  });
}
