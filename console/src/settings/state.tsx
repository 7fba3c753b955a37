/** What stands where settings are not there yet, or could not be read. */
import { errorText } from "../api/http.ts";
import { Button } from "../part/control.tsx";

/** Loading, or what went wrong; `whole` where that is all of the page, and its heading. */
export function NotLoaded({ query, whole = false }: { query: { isError: boolean; error: unknown; refetch: () => unknown }; whole?: boolean }) {
  if (query.isError) {
    const Title = whole ? "h1" : "h2";
    return (
      <div className="empty">
        <Title>This could not be read</Title>
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
