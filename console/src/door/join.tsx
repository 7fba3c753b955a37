/** Accepting an invitation. */
import { useQuery } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import type { AcceptInvitation, InvitationOffer, Me } from "@switchboard/protocol";

import { call, errorText, fieldError, formError } from "../api/http.ts";
import { meQuery, queries } from "../api/query.ts";
import { endSession } from "../live/session.ts";
import { Button, FormError, TextField } from "../part/control.tsx";
import { DoorFrame, linkToken } from "./frame.tsx";
import { useLacks } from "../part/lack.ts";
import { nameLacks, newPasswordLacks, passwordLacks } from "./lack.ts";

const ROLE_WORDS = { owner: "an owner", admin: "an admin", agent: "an agent" } as const;

/** The page. */
export function JoinPage() {
  const token = linkToken();
  const offer = useQuery({
    queryKey: ["offer", token],
    queryFn: ({ signal }) => call<InvitationOffer>("invitations/lookup", { method: "POST", body: { token }, signal }),
    enabled: token !== "",
    staleTime: Infinity,
    retry: 1,
  });
  if (token === "") {
    return (
      <DoorFrame title="This link is not whole">
        <p>Open the invitation’s link as it was sent, with everything behind the #.</p>
      </DoorFrame>
    );
  }
  if (offer.isError) {
    return (
      <DoorFrame title="This invitation cannot be used">
        <p>{errorText(offer.error)}</p>
        <a className="button" href="/console/sign-in">
          Sign in
        </a>
      </DoorFrame>
    );
  }
  if (!offer.data) return <DoorFrame title="One moment">{null}</DoorFrame>;
  return <Accept token={token} offer={offer.data} />;
}

function Accept({ token, offer }: { token: string; offer: InvitationOffer }) {
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");
  const [error, setError] = useState<unknown>(null);
  const [busy, setBusy] = useState(false);
  const navigate = useNavigate();
  async function accept() {
    setBusy(true);
    setError(null);
    try {
      const body: AcceptInvitation = { token, name: name.trim(), password, time_zone: Intl.DateTimeFormat().resolvedOptions().timeZone };
      const me = await call<Me>("invitations/accept", { method: "POST", body });
      endSession();
      queries.clear();
      queries.setQueryData(meQuery.queryKey, me);
      await navigate({ to: "/inbox/$list", params: { list: "all" } });
    } catch (reason) {
      setError(reason);
    } finally {
      setBusy(false);
    }
  }
  const lacks = useLacks({ ...nameLacks(name), ...(offer.has_account ? passwordLacks(password) : newPasswordLacks(password)) }, error, accept);
  // It says how long a password is to be, too.
  const refused = fieldError(error, "password");
  return (
    <DoorFrame title={`Join ${offer.workspace_name}`} lead={`As ${ROLE_WORDS[offer.role]}, with ${offer.email}.`}>
      <form className="stack" {...lacks.form}>
        <input type="email" name="email" autoComplete="username" value={offer.email} readOnly hidden />
        <TextField label="Your name" autoComplete="name" hint="Visitors see it when you answer." value={name} onValue={setName} error={lacks.said("name") ?? fieldError(error, "name")} required autoFocus />
        <TextField
          label={offer.has_account ? "Your password" : "A new password"}
          type="password"
          autoComplete={offer.has_account ? "current-password" : "new-password"}
          hint={offer.has_account ? "This address has an account here already." : refused === null && "At least 12 characters."}
          value={password}
          onValue={setPassword}
          error={lacks.said("password") ?? refused}
          required
        />
        <FormError text={formError(error, ["name", "password"])} />
        <Button type="submit" tone="accent" disabled={busy}>
          {busy ? "Joining" : "Join"}
        </Button>
      </form>
    </DoorFrame>
  );
}
