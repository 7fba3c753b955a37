/** The widget as the site would show it, drawn live while its look is changed. */
import { inkOn, PAPER, readableOn, safeColor } from "@switchboard/color";
import { plainText } from "@switchboard/markup";
import type { Ask, Theme } from "@switchboard/protocol";

import { useSystemDark } from "../shell/theme.ts";
import { GREETING } from "./look.tsx";
import { attributeName } from "./question.ts";

/** The widget's look, small: panel and launcher. */
export function WidgetPreview({ theme, site_name }: { theme: Theme; site_name: string }) {
  const system_dark = useSystemDark();
  const dark = theme.brightness === "dark" || (theme.brightness === "system" && system_dark);
  const brand = safeColor(theme.color);
  const style = { "--brand": brand, "--brand-ink": inkOn(brand), "--accent": readableOn(brand, dark ? PAPER.dark : PAPER.light) } as React.CSSProperties;
  return (
    <figure className="preview" style={style} aria-label="How the widget looks" data-side={theme.launcher_side} data-dark={dark ? "" : undefined} data-light={dark ? undefined : ""}>
      <div className="preview-panel">
        <div className="preview-head">
          {theme.logo || theme.avatar ? <img className="preview-face" src={theme.logo || theme.avatar} alt="" /> : <span className="preview-face">MN</span>}
          <span className="preview-who">
            <b className="cut">{theme.title || site_name || "Your site"}</b>
            <span>
              <i /> Mira is here now
            </span>
          </span>
        </div>
        <div className="preview-body">
          <b className="preview-greeting">{theme.greeting || GREETING}</b>
          {asksAnything(theme) ? <AskedFields theme={theme} /> : <Talk />}
        </div>
        {!asksAnything(theme) && <div className="preview-write">Write a message</div>}
        {theme.show_brand && <div className="preview-brand">Runs on Switchboard</div>}
      </div>
      <div className="preview-launcher" style={{ margin: `0 ${Math.min(theme.launcher_gap_px, 60) / 2}px` }}>
        <svg width="24" height="24" viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.9" strokeLinejoin="round" aria-hidden="true">
          <path d="M20 11.5a7.5 7.5 0 0 1-11 6.6L4.500 19.500l1.400-4A7.500 7.500 0 1 1 20 11.500z" />
        </svg>
        {theme.launcher_text && <b>{theme.launcher_text}</b>}
      </div>
      <figcaption className="heard-only">A preview of launcher and panel in the chosen look</figcaption>
    </figure>
  );
}

function asksAnything({ asks: { name, email, phone }, questions, consent }: Theme): boolean {
  return [name, email, phone].some((ask) => ask !== "never") || questions.length > 0 || consent !== "";
}

function Talk() {
  return (
    <>
      <p className="preview-ours">Is there a yearly plan?</p>
      <p className="preview-theirs">
        Yes, with two months free. <u>See the plans</u>
      </p>
    </>
  );
}

function AskedFields({ theme: { asks, questions, consent } }: { theme: Theme }) {
  const people: readonly [string, Ask][] = [
    ["Name", asks.name],
    ["E-mail", asks.email],
    ["Phone", asks.phone],
  ];
  const shown = people.filter(([, ask]) => ask !== "never").map(([name, ask]) => ({ name, kind: "text", needed: ask === "needed" }));
  const own = questions.map(({ name, label, kind, needed }) => ({ name: label || attributeName(name), kind: kind as string, needed }));
  const agreed = consent ? [{ name: plainText("markdown", consent), kind: "flag", needed: true }] : [];
  return (
    <div className="preview-asks">
      {[...shown, ...own, ...agreed].map(({ name, kind, needed }, index) => (
        <span key={index} data-kind={kind}>
          <bdi>{needed || kind === "flag" ? name : `${name} (optional)`}</bdi>
          <i />
        </span>
      ))}
      <b className="preview-begin">Begin the chat</b>
    </div>
  );
}
