/** Who gets in: my own sign-in for everybody; blocked addresses and failed sign-ins for those who look after the rest. */
import { useState } from "react";

import { useMay } from "../live/right.ts";
import { BlockedAddresses } from "./blocked.tsx";
import { FailedLogins } from "./failed.tsx";
import { PasswordForm, Sessions } from "./own-sign-in.tsx";
import { PageHead } from "./page.tsx";

/** The page of security. */
export function SecurityPage() {
  const may = useMay();
  const [offered, setOffered] = useState<string | null>(null);
  return (
    <div className="page page-wide">
      <PageHead title="Security">Where you are signed in, and who is kept out.</PageHead>
      <Sessions />
      <PasswordForm />
      {may("settings.write") && <BlockedAddresses offered={offered} onOffered={() => setOffered(null)} />}
      {may("audit.read") && <FailedLogins onBlock={setOffered} />}
    </div>
  );
}
