import type { Connection } from "./connection.js";
import { bodyOf } from "./sandbox.js";
import type { CallOptions, FileContent, Image, ImagePruneResult } from "./types.js";

/** The images in the server's store. Those of a Docker engine are not among them. */
export class ImageManager {
  /** @internal */
  constructor(private readonly connection: Connection) {}

  /** All of them, by name. */
  list(options: CallOptions = {}): Promise<Image[]> {
    return this.connection.call({ method: "GET", path: "/images", ...options });
  }

  /** One by its name or digest. */
  get(name: string, options: CallOptions = {}): Promise<Image> {
    return this.connection.call({ method: "GET", path: path(name), ...options });
  }

  /**
   * Pulls an image from its registry, also when it is in the store: a tag may have moved.
   * @param options `from`: provider whose own image is taken over instead of asking a registry: `docker`.
   */
  async pull(name: string, options: CallOptions & { from?: string } = {}): Promise<Image> {
    const { from, ...rest } = options;
    const json = from === undefined ? { image: name } : { image: name, from };
    return (await this.connection.call<Image[]>({ method: "POST", path: "/images/pull", json, slow: true, ...rest }))[0]!;
  }

  /**
   * Imports images from an archive of `docker save`, an OCI layout or a plain root file system, as tar, also compressed by gzip or zstd.
   * @param options `name`: what to call it; needed for a root file system.
   */
  importArchive(archive: FileContent, options: CallOptions & { name?: string } = {}): Promise<Image[]> {
    const { name, ...rest } = options;
    const headers = { "Content-Type": "application/octet-stream" };
    return this.connection.call({ method: "POST", path: "/images/import", query: { name }, body: bodyOf(archive), headers, slow: true, ...rest });
  }

  /** Removes a name, and the image with its last one. */
  async remove(name: string, options: CallOptions = {}): Promise<void> {
    await this.connection.call({ method: "DELETE", path: path(name), slow: true, ...options });
  }

  /**
   * Removes the images that nothing uses.
   * @param options `unnamed`: only those whose last name has moved to another image.
   */
  prune(options: CallOptions & { unnamed?: boolean } = {}): Promise<ImagePruneResult> {
    const { unnamed, ...rest } = options;
    return this.connection.call({ method: "POST", path: "/images/prune", query: { unnamed: unnamed || undefined }, slow: true, ...rest });
  }
}

function path(name: string): string {
  return `/images/${encodeURIComponent(name)}`;
}
