/** Words of people, shown as the widget shows them: one parser and one renderer for both, never HTML. */
import { createElement, memo, type ReactElement } from "react";
import { words, type CreateElement } from "@switchboard/markup";
import type { Format } from "@switchboard/protocol";

/** A body; bidirectional tricks stay inside it. */
export const Body = memo(function Body({ format, text }: { format: Format; text: string }) {
  return words<ReactElement>(createElement as CreateElement<ReactElement>, "body", format, text);
});
