import { useEffect } from "react";

/** The chat, for as long as this is mounted. `customer` is who is signed in, as far as the app knows. */
export function Switchboard({ server, site, customer }) {
  useEffect(() => {
    const script = document.createElement("script");
    script.async = true;
    script.src = `${server}/widget.js`;
    script.dataset.siteKey = site;
    document.head.append(script);
    return () => {
      script.remove();
      // A list until the script is there, which then does what stands in it.
      (window.Switchboard ??= []).push(["destroy"]);
    };
  }, [server, site]);

  useEffect(() => {
    if (customer) (window.Switchboard ??= []).push(["identify", customer]);
  }, [customer]);

  return null;
}
