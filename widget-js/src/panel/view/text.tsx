// A body in the panel.

import { h, type VNode } from "preact";
import { words, type CreateElement } from "../../markup/index.ts";
import type { Format } from "../../protocol.ts";

export function Words({ format, body }: { format: Format; body: string }): VNode {
  return words<VNode>(h as CreateElement<VNode>, "words", format, body);
}
