"use client";

import { useEffect } from "react";

/** Says who is signed in, as far as the app knows. */
export function Customer({ name }) {
  useEffect(() => {
    (window.Switchboard ??= []).push(["identify", { name }]);
  }, [name]);
  return <button onClick={() => (window.Switchboard ??= []).push(["open"])}>Ask us</button>;
}
