/** What a site sets otherwise than its workspace. */
import { useQuery } from "@tanstack/react-query";
import type { Settings, Site, SiteChange, SiteOverrides } from "@switchboard/protocol";

import { workspaceQuery } from "../api/query.ts";
import { Field } from "../part/control.tsx";
import { languageName, SPOKEN_LANGUAGES, spokenOf } from "../part/language.ts";
import { useHeld } from "./held.ts";
import { OptionalNumber } from "./number.tsx";
import { Section } from "./page.tsx";

/** What it means that the team sees what visitors type. */
export const TYPING_PREVIEW_HINT = "The team reads along before a message is sent. The widget tells visitors so; nothing of it is kept.";

type Flag = "anonymize_addresses" | "respect_do_not_track" | "typing_preview";

/** The settings of one site; what is left empty is as the workspace says. */
export function Overrides({ site, change }: { site: Site; change: (next: Partial<SiteChange>, pause?: "soon" | "now") => void }) {
  const workspace = useQuery(workspaceQuery);
  const [overrides, setOverrides] = useHeld<SiteOverrides>(site.overrides);
  const defaults = workspace.data?.settings;
  const set = (next: Partial<SiteOverrides>, pause: "soon" | "now" = "soon") => {
    const whole = { ...overrides, ...next };
    setOverrides(whole);
    change({ overrides: whole }, pause);
  };
  const flag = (name: Flag, label: string, hint: string) => (
    <Field label={label} hint={hint}>
      {(props) => (
        <select {...props} className="input" value={String(overrides[name] ?? "")} onChange={(event) => set({ [name]: flagOf(event.target.value) }, "now")}>
          <option value="">As the workspace{defaults ? ` (${defaults[name] ? "yes" : "no"})` : ""}</option>
          <option value="true">Yes</option>
          <option value="false">No</option>
        </select>
      )}
    </Field>
  );
  return (
    <Section title="Language, limits and privacy" hint="Of this site alone. What is left empty is as the workspace says.">
      <Field label="Main language" hint="For visitors whose own language the chat does not speak.">
        {(props) => (
          <select {...props} className="input" value={overrides.language ?? ""} onChange={(event) => set({ language: spokenOf(event.target.value) }, "now")}>
            <option value="">As the workspace{defaults ? ` (${languageName(defaults.language ?? "en")})` : ""}</option>
            {SPOKEN_LANGUAGES.map(([code, name]) => (
              <option key={code} value={code}>
                {name}
              </option>
            ))}
          </select>
        )}
      </Field>
      <OptionalNumber label="New visitors a minute" hint="Sessions that the site's visitors may begin, all together. Where several servers run, each counts its own." value={overrides.sessions_per_minute} otherwise={rateText(defaults, "sessions_per_minute")} onValue={(sessions_per_minute) => set({ sessions_per_minute })} />
      <OptionalNumber label="Messages of one visitor a minute" hint="More are refused for a while." value={overrides.messages_per_minute} otherwise={rateText(defaults, "messages_per_minute")} onValue={(messages_per_minute) => set({ messages_per_minute })} />
      <OptionalNumber label="A visit ends after" hint="Time without a page view. In minutes." unit={60_000} value={overrides.session_timeout_ms} otherwise={timeText(defaults?.session_timeout_ms, 60_000)} onValue={(session_timeout_ms) => set({ session_timeout_ms })} />
      <OptionalNumber label="A visitor counts as active for" hint="Time after the last sign of life. In seconds." unit={1_000} value={overrides.active_threshold_ms} otherwise={timeText(defaults?.active_threshold_ms, 1_000)} onValue={(active_threshold_ms) => set({ active_threshold_ms })} />
      {flag("anonymize_addresses", "Shorten network addresses", "Stored addresses lose their last part.")}
      {flag("respect_do_not_track", "Respect Do Not Track", "Browsers that ask for it are not followed from page to page.")}
      {flag("typing_preview", "Show what visitors type", TYPING_PREVIEW_HINT)}
    </Section>
  );
}

function flagOf(text: string): boolean | null {
  return text === "" ? null : text === "true";
}

function rateText(defaults: Settings | undefined, name: "sessions_per_minute" | "messages_per_minute"): string {
  return defaults?.[name] == null ? "no limit" : String(defaults[name]);
}

function timeText(time_ms: number | undefined, unit: number): string {
  return time_ms === undefined ? "" : String(Math.round(time_ms / unit));
}
