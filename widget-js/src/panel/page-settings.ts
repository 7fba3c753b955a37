// What the page that carries the widget sets for itself, over what its site says.

import type { PageSettings } from "../messages.ts";
import type { WidgetConfig } from "../protocol.ts";

/** How the widget is on this page. */
export function onPage(config: WidgetConfig | null, { greeting, theme }: PageSettings): WidgetConfig | null {
  if (config === null) return null;
  const brightness = theme === "auto" ? "system" : theme;
  return {
    ...config,
    theme: {
      ...config.theme,
      greeting: greeting ?? config.theme.greeting,
      brightness: brightness ?? config.theme.brightness,
    },
  };
}
