/** What stands where settings are not there yet, or could not be read. */
import { errorText } from "../api/http.ts";
import { Button } from "../part/control.tsx";

/** Loading, or what went wrong. */
export function NotLoaded({ query }: { query: { isError: boolean; error: unknown; refetch: () => unknown } }) {
  if (query.isError) {
    return (
      <div className="empty">
        <h2>This could not be read</h2>
        <p className="faint">{errorText(query.error)}</p>
        <Button onClick={() => void query.refetch()}>Try again</Button>
      </div>
    );
  }
  return (
    <div className="page" role="status" aria-label="Loading">
      {[30, 70, 60, 75].map((width) => (
        <span key={width} className="skeleton" style={{ display: "block", width: `${width}%`, height: 18 }} />
      ))}
    </div>
  );
}
