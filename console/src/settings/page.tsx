/** Settings: a document with a table of contents. */
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useMay } from "../live/right.ts";
import { Icon } from "../part/icon.tsx";
import { usePhone } from "../part/screen.ts";
import { ActivityPage } from "./activity.tsx";
import { AuditPage } from "./audit.tsx";
import { CannedPage } from "./canned.tsx";
import { LastChange } from "./changed.tsx";
import { KeysPage } from "./keys.tsx";
import { NoticesPage } from "./notices.tsx";
import { PAGES, type PlaceOfSettings } from "./pages.ts";
import { ProfilePage } from "./profile.tsx";
import { SecurityPage } from "./security.tsx";
import { SitesPage } from "./sites.tsx";
import { SystemPage } from "./system.tsx";
import { TeamPage } from "./team.tsx";
import { WorkspacePage } from "./workspace.tsx";

const SHOWN: Record<PlaceOfSettings, () => ReactNode> = {
  workspace: () => <WorkspacePage />,
  sites: () => <SitesPage />,
  team: () => <TeamPage />,
  canned: () => <CannedPage />,
  keys: () => <KeysPage />,
  audit: () => <AuditPage />,
  activity: () => <ActivityPage />,
  system: () => <SystemPage />,
  security: () => <SecurityPage />,
  notifications: () => <NoticesPage />,
  profile: () => <ProfilePage />,
};

/** The page of the address bar, with its neighbours at the side. */
export function SettingsPage() {
  const params = useParams({ strict: false });
  const may = useMay();
  const allowed = PAGES.filter((each) => each.needs === null || may(each.needs));
  const page = allowed.find((each) => each.place === params.page) ?? allowed[0];
  // The page's own title is the first heading; where none is shown beside it, this is.
  const is_phone = usePhone();
  const NavTitle = params.page ? "p" : "h1";
  return (
    <div className="settings" data-open={params.page ? "" : undefined}>
      <nav className="settings-nav" aria-label="Settings">
        <NavTitle className="settings-title">Settings</NavTitle>
        <ul>
          {allowed.map(({ place, name, icon }) => (
            <li key={place}>
              <Link to="/settings/$page" params={{ page: place }} className="settings-link" aria-current={place === page?.place && (params.page !== undefined || !is_phone) ? "page" : undefined}>
                <Icon name={icon} /> {name}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      {/* It scrolls: by keys, too, where a page has nothing else to stop at. */}
      <div className="settings-body" role="region" aria-label={page?.name} tabIndex={0}>
        <Link to="/settings" className="button phone-only settings-back">
          <Icon name="back" /> Settings
        </Link>
        {page && SHOWN[page.place]()}
      </div>
    </div>
  );
}

/** A page's heading and lead, and who changed last the record that it is about. */
export function PageHead({ title, record_id, children }: { title: string; record_id?: string | undefined; children?: ReactNode }) {
  return (
    <header className="page-head">
      <h1>{title}</h1>
      {children && <p className="faint">{children}</p>}
      {record_id !== undefined && <LastChange of={record_id} />}
    </header>
  );
}

/** A part of a page. */
export function Section({ title, hint, children }: { title: string; hint?: ReactNode; children: ReactNode }) {
  return (
    <section className="section">
      <h2>{title}</h2>
      {hint && <p className="field-hint">{hint}</p>}
      {children}
    </section>
  );
}
