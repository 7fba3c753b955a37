/** Settings: a document with a table of contents. */
import { Link, useParams } from "@tanstack/react-router";
import type { ReactNode } from "react";
import type { Permission } from "@switchboard/protocol";

import { useMay } from "../live/right.ts";
import { Icon, type IconName } from "../part/icon.tsx";
import { AuditPage } from "./audit.tsx";
import { CannedPage } from "./canned.tsx";
import { KeysPage } from "./keys.tsx";
import { NoticesPage } from "./notices.tsx";
import { ProfilePage } from "./profile.tsx";
import { SitesPage } from "./sites.tsx";
import { TeamPage } from "./team.tsx";
import { WorkspacePage } from "./workspace.tsx";

interface Page {
  name: string;
  icon: IconName;
  needs: Permission | null;
  show: () => ReactNode;
}

const PAGES: Record<string, Page> = {
  workspace: { name: "Workspace", icon: "settings", needs: "settings.write", show: () => <WorkspacePage /> },
  sites: { name: "Sites", icon: "globe", needs: "sites.write", show: () => <SitesPage /> },
  team: { name: "Team", icon: "team", needs: "team.write", show: () => <TeamPage /> },
  canned: { name: "Canned responses", icon: "canned", needs: null, show: () => <CannedPage /> },
  keys: { name: "API keys", icon: "key", needs: "keys.write", show: () => <KeysPage /> },
  audit: { name: "Audit log", icon: "log", needs: "audit.read", show: () => <AuditPage /> },
  notifications: { name: "Notifications", icon: "bell", needs: null, show: () => <NoticesPage /> },
  profile: { name: "Profile", icon: "person", needs: null, show: () => <ProfilePage /> },
};

/** The page of the address bar, with its neighbours at the side. */
export function SettingsPage() {
  const params = useParams({ strict: false });
  const may = useMay();
  const allowed = Object.entries(PAGES).filter(([, page]) => page.needs === null || may(page.needs));
  const [key, page] = allowed.find(([each]) => each === params.page) ?? allowed[0] ?? ["", undefined];
  // The page's own title is the first heading; where none is shown beside it, this is.
  const NavTitle = params.page ? "p" : "h1";
  return (
    <div className="settings" data-open={params.page ? "" : undefined}>
      <nav className="settings-nav" aria-label="Settings">
        <NavTitle className="settings-title">Settings</NavTitle>
        <ul>
          {allowed.map(([each, { name, icon }]) => (
            <li key={each}>
              <Link to="/settings/$page" params={{ page: each }} className="settings-link" aria-current={each === key ? "page" : undefined}>
                <Icon name={icon} /> {name}
              </Link>
            </li>
          ))}
        </ul>
      </nav>
      <div className="settings-body">
        <Link to="/settings" className="button phone-only settings-back">
          <Icon name="back" /> Settings
        </Link>
        {page?.show()}
      </div>
    </div>
  );
}

/** A page's heading and lead. */
export function PageHead({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <header className="page-head">
      <h1>{title}</h1>
      {children && <p className="faint">{children}</p>}
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
