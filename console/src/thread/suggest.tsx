/** What the composer offers while one writes: a list over the field, walked by keys and taken by Enter. */
import { useEffect, useId, useLayoutEffect, useRef, useState, type KeyboardEvent, type ReactNode, type RefObject } from "react";

/** One thing to choose. */
export interface Choice {
  id: string;
  mark: ReactNode;
  name: string;
  text: string;
  hint?: string;
  take: () => void;
}

/** What is offered at the caret. */
export interface Offer {
  /** Where in the text it was asked for: one that was sent away stays away there. */
  at: number;
  label: string;
  choices: readonly Choice[];
  /** What stands there where nothing fits; without it nothing is shown. */
  none: ReactNode;
}

/** The open list: what the field says of it, its keys, and how it looks. */
export function useSuggestions(offer: Offer | null) {
  const id = useId();
  const [walked, setWalked] = useState({ to: 0, in: "" });
  const [dismissed, setDismissed] = useState<number | null>(null);
  const at = offer?.at ?? null;
  useEffect(() => {
    if (at === null) setDismissed(null);
  }, [at]);
  const signature = offer?.choices.map((choice) => choice.id).join(" ") ?? "";
  // Another list begins at its first choice.
  const index = walked.in === signature ? walked.to : 0;
  const setIndex = (to: number) => setWalked({ to, in: signature });
  const shown = offer && offer.at !== dismissed && (offer.choices.length > 0 || offer.none) ? offer : null;
  const chosen = Math.min(index, Math.max(0, (shown?.choices.length ?? 0) - 1));
  const choice = shown?.choices[chosen];
  /** Whether the key was the list's. */
  function key(event: KeyboardEvent): boolean {
    if (!shown) return false;
    const { length } = shown.choices;
    if (event.key === "Escape") setDismissed(shown.at);
    else if (!choice || event.shiftKey || event.ctrlKey || event.metaKey || event.altKey) return false;
    else if (event.key === "ArrowDown") setIndex((chosen + 1) % length);
    else if (event.key === "ArrowUp") setIndex((chosen - 1 + length) % length);
    else if (event.key === "Enter" || event.key === "Tab") choice.take();
    else return false;
    event.preventDefault();
    return true;
  }
  const field = {
    "aria-autocomplete": "list" as const,
    "aria-haspopup": "listbox" as const,
    "aria-controls": choice ? id : undefined,
    "aria-activedescendant": choice ? `${id}-${chosen}` : undefined,
  };
  const list = useRef<HTMLDivElement>(null);
  useRoom(list, at === null || at === dismissed ? null : at);
  const view = <SuggestionList id={id} list={list} offer={shown} chosen={chosen} onPoint={setIndex} />;
  return { key, field, view };
}

/**
 * Makes room under what was said last, as high as the list over it, so that it can be read while one chooses. A list that
 * gets shorter by what is typed gives nothing back before it is gone: what one reads moves once, and once back.
 */
function useRoom(list: RefObject<HTMLDivElement | null>, at: number | null): void {
  const high = useRef(0);
  const place = useRef<HTMLElement | null>(null);
  useLayoutEffect(() => {
    if (list.current) {
      place.current = list.current.closest<HTMLElement>(".conversation-main");
      high.current = Math.max(high.current, list.current.offsetHeight);
    }
    if (at === null) high.current = 0;
    place.current?.style.setProperty("--offered", `${high.current}px`);
  });
  useEffect(
    () => () => {
      place.current?.style.removeProperty("--offered");
    },
    [],
  );
}

function SuggestionList({ id, list, offer, chosen, onPoint }: { id: string; list: RefObject<HTMLDivElement | null>; offer: Offer | null; chosen: number; onPoint: (index: number) => void }) {
  const count = offer?.choices.length ?? 0;
  return (
    <>
      <span className="heard-only" role="status">
        {offer ? `${offer.label}: ${count === 0 ? "nothing fits" : count}` : ""}
      </span>
      {offer && (
        // The field keeps the focus: nothing here takes it.
        <div ref={list} className="suggestions" onMouseDown={(event) => event.preventDefault()}>
          <div className="menu-label suggestions-label">
            <span className="grow">{offer.label}</span>
            {count > 0 && (
              <span className="suggestions-keys">
                <kbd>↑</kbd> <kbd>↓</kbd> choose <kbd>↵</kbd> take <kbd>Esc</kbd> close
              </span>
            )}
          </div>
          {count === 0 && <div className="suggestions-none faint">{offer.none}</div>}
          {count > 0 && (
            <div id={id} role="listbox" aria-label={offer.label}>
              {offer.choices.map((choice, index) => (
                <div
                  key={choice.id}
                  id={`${id}-${index}`}
                  role="option"
                  aria-selected={index === chosen}
                  className="menu-item suggestion"
                  data-highlighted={index === chosen ? "" : undefined}
                  ref={(node) => {
                    if (index === chosen) node?.scrollIntoView({ block: "nearest" });
                  }}
                  onPointerMove={() => onPoint(index)}
                  onClick={choice.take}
                >
                  {choice.mark}
                  <bdi className="suggestion-name">{choice.name}</bdi>
                  <bdi className="suggestion-text grow">{choice.text}</bdi>
                  {choice.hint && <span className="tag">{choice.hint}</span>}
                </div>
              ))}
            </div>
          )}
        </div>
      )}
    </>
  );
}
