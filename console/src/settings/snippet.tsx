/** The one tag that puts the widget on a page. */
import { CopyButton } from "../part/copy.tsx";

/** The tag of a site. */
export function snippetOf(site_id: string, origin: string = location.origin): string {
  return `<script async src="${origin}/widget.js"\n  data-site-key="${site_id}"></script>`;
}

/** The tag with a button that copies it. */
export function Snippet({ site_id }: { site_id: string }) {
  const text = snippetOf(site_id);
  return (
    <div className="snippet">
      <pre tabIndex={0} aria-label="Snippet">
        <code>{text}</code>
      </pre>
      <CopyButton text={text} label="Copy the snippet" />
    </div>
  );
}
