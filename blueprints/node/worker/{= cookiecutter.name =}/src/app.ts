/** What is done with a message. A sample: put the service's own work in its place. */

import { log } from "./logs.ts";
import type { Message } from "./source.ts";

/**
 * Do what `message` asks for; whatever is thrown gives it back to the queue.
 *
 * Probes are answered by the same thread: what computes for seconds belongs into a worker thread.
 */
export async function handle(message: Message): Promise<void> {
  log.debug(`a message of ${message.body.length} bytes`);
  await Promise.resolve();
}
