/** The workspace: what the business is, when somebody is there, how visits are counted and what is kept of visitors. */
import { useQuery } from "@tanstack/react-query";
import { useState, type ReactNode } from "react";
import { currencies, type Settings, type Workspace, type WorkspaceChange } from "@switchboard/protocol";

import { workspaceQuery } from "../api/query.ts";
import { useMay } from "../live/right.ts";
import { Field, Switch, TextField } from "../part/control.tsx";
import { SPOKEN_LANGUAGES, spokenOf } from "../part/language.ts";
import { zones, zoneToday } from "../part/zone.ts";
import { pictureAddress } from "../shell/tab-icon.ts";
import { useHeld } from "./held.ts";
import { ICON, LogoField } from "./logo.tsx";
import { OptionalNumber } from "./number.tsx";
import { TYPING_PREVIEW_HINT } from "./overrides.tsx";
import { PageHead, Section } from "./page.tsx";
import { useSaving } from "./save.ts";
import { Saved, SavingLines } from "./saved.tsx";
import { NotLoaded } from "./state.tsx";
import { SupportHoursSection } from "./support-hours.tsx";

const KEY = ["workspace"];

/** The page of the workspace. */
export function WorkspacePage() {
  const found = useQuery(workspaceQuery);
  if (!found.data) return <NotLoaded query={found} whole />;
  return <WorkspaceForm workspace={found.data} />;
}

function WorkspaceForm({ workspace: heard }: { workspace: Workspace }) {
  const { record: workspace, saving, change } = useSaving<Workspace, WorkspaceChange>("workspace", KEY, heard);
  const [settings, setSettings] = useHeld(workspace.settings);
  const [zone, setZone] = useHeld(workspace.time_zone);
  const set = (next: Partial<Settings>, pause: "soon" | "now" = "now") => {
    const whole = { ...settings, ...next };
    setSettings(whole);
    change({ settings: whole }, pause);
  };
  const isOwner = useMay()("owner");
  return (
    <div className="page">
      <PageHead title="Workspace" record_id={workspace.id}>
        Saved as you go. <Saved saving={saving} />
      </PageHead>
      <SavingLines saving={saving} />
      <General workspace={workspace} zone={zone} errorAt={saving.errorAt} setZone={setZone} change={change}>
        <Pick
          label="Main language"
          hint={LANGUAGE_HINT}
          value={settings.language ?? ""}
          choices={LANGUAGES}
          error={null}
          onValue={(value) => set({ language: spokenOf(value) })}
        />
      </General>
      <SupportHoursSection hours={workspace.support_hours} time_zone={zoneToday(zone)} error={saving.errorAt("support_hours")} onChange={(support_hours, pause) => change({ support_hours }, pause)} />
      <Section title="Owners">
        <Switch
          label="One owner only"
          hint="Whoever is made owner takes the place of the present one, who stays as an admin. Only an owner can change this."
          checked={settings.single_owner}
          disabled={!isOwner}
          onChange={(single_owner) => set({ single_owner })}
        />
      </Section>
      <Section title="Set-up">
        <Switch label="Set-up list in the inbox" hint="What the workspace still needs, until all of it is done." checked={!settings.setup_put_away} onChange={(shown) => set({ setup_put_away: !shown })} />
      </Section>
      <Section title="Visits">
        <Minutes label="A visit ends after" hint="Time without a page view." value={settings.session_timeout_ms} unit_ms={60_000} unit="minutes" onValue={(value) => set({ session_timeout_ms: value }, "soon")} />
        <Minutes label="A visitor counts as active for" hint="Time after the last sign of life." value={settings.active_threshold_ms} unit_ms={1_000} unit="seconds" onValue={(value) => set({ active_threshold_ms: value }, "soon")} />
      </Section>
      <Section title="Limits" hint="Sites inherit them, and may set others for themselves. The server's own limits hold in any case.">
        <OptionalNumber label="New visitors of a site a minute" hint="Sessions that its visitors may begin, all together. Where several servers run, each counts its own." value={settings.sessions_per_minute} otherwise="no limit" onValue={(sessions_per_minute) => set({ sessions_per_minute }, "soon")} />
        <OptionalNumber label="Messages of one visitor a minute" hint="More are refused for a while." value={settings.messages_per_minute} otherwise="no limit" onValue={(messages_per_minute) => set({ messages_per_minute }, "soon")} />
        <OptionalNumber label="Tell the visitor list every" hint="In seconds, at most 60. Left empty, changes come at once." unit={1_000} value={settings.visitor_refresh_ms || null} otherwise="live" onValue={(value) => set({ visitor_refresh_ms: value ?? 0 }, "soon")} />
      </Section>
      <Section title="Privacy">
        <Switch label="Shorten network addresses" hint="Stored addresses lose their last part." checked={settings.anonymize_addresses} onChange={(anonymize_addresses) => set({ anonymize_addresses })} />
        <Switch label="Respect Do Not Track" hint="Browsers that ask for it are not followed from page to page." checked={settings.respect_do_not_track} onChange={(respect_do_not_track) => set({ respect_do_not_track })} />
        <Switch label="Show what visitors type" hint={TYPING_PREVIEW_HINT} checked={settings.typing_preview} onChange={(typing_preview) => set({ typing_preview })} />
      </Section>
    </div>
  );
}

interface GeneralProps {
  workspace: Workspace;
  zone: string;
  errorAt: (field: string) => string | null;
  setZone: (zone: string) => void;
  change: (next: Partial<WorkspaceChange>, pause?: "soon" | "now") => void;
  children: ReactNode;
}

function General({ workspace, zone, errorAt, setZone, change, children }: GeneralProps) {
  const [name, setName] = useHeld(workspace.name);
  const [industry, setIndustry] = useHeld(workspace.industry);
  const [currency, setCurrency] = useHeld(workspace.currency);
  // Seen at once; it is another by the time it is stored.
  const [chosen, setChosen] = useState({ over: workspace.icon, icon: workspace.icon ? pictureAddress(workspace.icon) : "" });
  const icon = chosen.over === workspace.icon ? chosen.icon : workspace.icon ? pictureAddress(workspace.icon) : "";
  return (
    <Section title="General">
      <TextField
        label="Name"
        value={name}
        error={name.trim() === "" ? "A workspace needs a name." : errorAt("name")}
        onValue={(value) => {
          setName(value);
          if (value.trim()) change({ name: value.trim() });
        }}
      />
      <LogoField
        label="Icon of the tab"
        hint="The team sees it in the tabs of their browsers; without one, the lamp."
        value={icon}
        error={errorAt("icon")}
        form={ICON}
        instead={<img src="/console/icon.svg" alt="" width={24} height={24} />}
        onValue={(value) => {
          setChosen({ over: workspace.icon, icon: value });
          change({ icon: value }, "now");
        }}
      />
      <TextField
        label="Industry"
        hint="What the business does, in a few words."
        value={industry}
        error={errorAt("industry")}
        onValue={(value) => {
          setIndustry(value);
          change({ industry: value.trim() });
        }}
      />
      <Pick
        label="Currency"
        value={currency}
        choices={CURRENCIES}
        error={errorAt("currency")}
        onValue={(value) => {
          setCurrency(value);
          change({ currency: value }, "now");
        }}
      />
      <Pick
        label="Time zone"
        hint="Days of the workspace begin and end by it. Times on screen are in the zone of whoever looks."
        value={zoneToday(zone)}
        choices={zones(zone).map((each) => [each, each])}
        error={errorAt("time_zone")}
        onValue={(value) => {
          setZone(value);
          change({ time_zone: value }, "now");
        }}
      />
      {children}
    </Section>
  );
}

/** What it means that a workspace, or a site, has a main language. */
const LANGUAGE_HINT = "The chat follows the language of the page. Where it does not speak that one, it speaks this one.";

/** Languages of the widget by their names, none first. */
const LANGUAGES: readonly (readonly [string, string])[] = [["", "None chosen (English)"], ...SPOKEN_LANGUAGES];

/** Currencies by their names, none first. */
const CURRENCIES: readonly [string, string][] = [
  ["", "None chosen"],
  ...currencies.map((code): [string, string] => [code, currencyText(code)]).sort(([, one], [, other]) => one.localeCompare(other, "en")),
];

function currencyText(code: string): string {
  const name = new Intl.DisplayNames("en", { type: "currency" }).of(code);
  return name && name !== code ? `${name} (${code})` : code;
}

interface PickProps {
  label: string;
  hint?: string;
  value: string;
  choices: readonly (readonly [value: string, text: string])[];
  error: string | null;
  onValue: (value: string) => void;
}

function Pick({ label, hint, value, choices, error, onValue }: PickProps) {
  return (
    <Field label={label} hint={hint} error={error}>
      {(props) => (
        <select {...props} className="input" value={value} onChange={(event) => onValue(event.target.value)}>
          {choices.map(([each, text]) => (
            <option key={each} value={each}>
              {text}
            </option>
          ))}
        </select>
      )}
    </Field>
  );
}

function Minutes({ label, hint, value, unit_ms, unit, onValue }: { label: string; hint: string; value: number; unit_ms: number; unit: string; onValue: (value_ms: number) => void }) {
  const [text, setText] = useHeld(String(Math.round(value / unit_ms)));
  const amount = Number(text);
  const good = Number.isInteger(amount) && amount > 0;
  return (
    <Field label={label} hint={`${hint} In ${unit}.`} error={good ? null : "A whole number above zero."}>
      {(props) => (
        <input
          {...props}
          className="input short"
          inputMode="numeric"
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            const next = Number(event.target.value);
            if (Number.isInteger(next) && next > 0) onValue(next * unit_ms);
          }}
        />
      )}
    </Field>
  );
}
