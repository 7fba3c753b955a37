/** The widget as the site would show it, drawn live while its look is changed. */
import type { Theme } from "@switchboard/protocol";

/** The widget's look, small. */
export function WidgetPreview({ theme, site_name }: { theme: Theme; site_name: string }) {
  const style = { "--brand": theme.color, "--on-brand": onColor(theme.color) } as React.CSSProperties;
  return (
    <figure className="preview" style={style} aria-label="How the widget looks" data-side={theme.launcher_side}>
      <div className="preview-panel">
        <div className="preview-head">
          <span className="preview-face">MN</span>
          <span className="preview-who">
            <b className="cut">{theme.title || site_name || "Your site"}</b>
            <span>
              <i /> Mira is here now
            </span>
          </span>
        </div>
        <div className="preview-body">
          {theme.greeting && <b className="preview-greeting">{theme.greeting}</b>}
          <p className="preview-ours">Is there a yearly plan?</p>
          <p className="preview-theirs">Yes, with two months free.</p>
        </div>
        <div className="preview-write">Write a message</div>
        {theme.show_brand && <div className="preview-brand">Runs on Switchboard</div>}
      </div>
      <div className="preview-launcher">
        <svg width="24" height="24" viewBox="0 0 16 16" fill="none" stroke="currentColor" strokeWidth="1.4" strokeLinejoin="round" aria-hidden="true">
          <path d="M2.5 3h11v8H7.500L4.500 13.500V11h-2V3Z" />
        </svg>
      </div>
      <figcaption className="heard-only">A preview of launcher and panel in the chosen color</figcaption>
    </figure>
  );
}

/** Black or white, whichever reads better on a colour. */
export function onColor(color: string): string {
  const channels = /^#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})$/i.exec(color)?.slice(1) ?? ["0", "0", "0"];
  const [red = 0, green = 0, blue = 0] = channels.map((hex) => {
    const value = Number.parseInt(hex, 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  const light = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  // The ratio against white falls under that against black where the light passes this value.
  return light > 0.179 ? "#000000" : "#ffffff";
}
