/** Two changed one thing: the last write stands, and whoever made it reads whose it took the place of. */
import { Button, IconButton } from "../part/control.tsx";
import { languageName } from "../part/language.ts";
import type { Saving } from "./save.ts";

/** What leaves are called in their forms, where their own names say it less well. */
const NAMES: Readonly<Record<string, string>> = {
  after_close: "A new message after the end",
  allowed_origins: "Allowed origins",
  archived: "Archived",
  description: "What it is for",
  icon: "Icon of the tab",
  identity_required: "Require a signed identity",
  "settings.active_threshold_ms": "A visitor counts as active for",
  "settings.language": "Main language",
  "settings.session_timeout_ms": "A visit ends after",
  "settings.setup_put_away": "Set-up list in the inbox",
  "settings.single_owner": "One owner only",
  "settings.typing_preview": "Show what visitors type",
  "settings.visitor_refresh_ms": "Tell the visitor list every",
  "overrides.language": "Main language",
  "theme.asks.email": "Asked before: e-mail",
  "theme.asks.name": "Asked before: name",
  "theme.asks.phone": "Asked before: phone",
  "theme.asks_email_later": "Ask for an e-mail address in the conversation",
  "theme.avatar": "Face of the team",
  "theme.consent": "What a visitor agrees to",
  "theme.greeting": "First words",
  "theme.launcher_gap_px": "Distance from the edges",
  "theme.launcher_side": "Launcher",
  "theme.launcher_text": "Words on the launcher",
  "theme.questions": "Questions of your own",
  "theme.show_brand": "Show “Switchboard” at the foot",
};

/** What a leaf is called. */
export function leafName(leaf: string): string {
  const last = (leaf.split(".").at(-1) ?? leaf).replaceAll("_", " ");
  const name = NAMES[leaf] ?? last.charAt(0).toUpperCase() + last.slice(1);
  return leaf.startsWith("support_hours.") ? `Support hours, ${name}` : name;
}

const SAID_LENGTH_MAX = 200;

/** A value in words, where it has any: pictures, lists and times are told by their names alone. */
function saidOf(leaf: string, value: unknown): string | null {
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value !== "string" || value.startsWith("data:") || value.length > SAID_LENGTH_MAX) return null;
  if (leaf.endsWith(".language")) return languageName(value);
  return value.trim() === "" ? "nothing" : value;
}

/** All that was met, each with a way back to theirs. */
export function MetLines({ saving: { met, takeTheirs, forget } }: { saving: Saving }) {
  return (
    <div className="met-lines" role="status" aria-label="Changed by colleagues">
      {met.map((each) => {
        const name = leafName(each.leaf);
        const said = saidOf(each.leaf, each.theirs);
        return (
          <div key={each.leaf} className="met-line">
            <span className="grow">
              A colleague changed <b>{name}</b>
              {said !== null && (
                <>
                  {" to "}
                  <b>
                    <bdi>{said}</bdi>
                  </b>
                </>
              )}{" "}
              meanwhile. Yours stands in its place.
            </span>
            <Button size="small" onClick={() => takeTheirs(each)}>
              Take theirs
            </Button>
            <IconButton icon="close" name={`Keep mine: ${name}`} onClick={() => forget(each.leaf)} />
          </div>
        );
      })}
    </div>
  );
}
