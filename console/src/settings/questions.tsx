/** The questions of a site's own before the first message, and what a visitor agrees to. */
import { useState } from "react";
import { limit, type AnswerKind, type Question } from "@switchboard/protocol";

import { Button, Field, IconButton, Switch, TextField } from "../part/control.tsx";
import { Choice } from "./choice.tsx";
import { KNOWN, nameOf } from "./question.ts";

const KINDS: readonly [AnswerKind, string][] = [
  ["text", "A line of text"],
  ["number", "A number"],
  ["flag", "A box to tick"],
];

interface QuestionsProps {
  questions: readonly Question[];
  error: string | null;
  onChange: (next: readonly Question[], pause?: "soon" | "now") => void;
}

/** One card a question; those that the widget has words for are one click away. */
export function Questions({ questions, error, onChange }: QuestionsProps) {
  // A place of its own for each, so that what is typed stays with its question.
  const [ids, setIds] = useState(() => questions.map((_, index) => index));
  const set = (index: number, next: Partial<Question>, pause?: "soon" | "now") => onChange(questions.map((each, at) => (at === index ? { ...each, ...next } : each)), pause);
  const add = (question: Question) => {
    setIds([...ids, Math.max(-1, ...ids) + 1]);
    onChange([...questions, question], "now");
  };
  const drop = (index: number) => {
    setIds(ids.filter((_, at) => at !== index));
    onChange(questions.filter((_, at) => at !== index), "now");
  };
  const free = KNOWN.filter(([name]) => questions.every((each) => each.name !== name));
  return (
    <fieldset className="asks">
      <legend>Questions of your own</legend>
      <p className="faint small">Answers stand beside the conversation. The widget says those below in the visitor’s language; your own words stay as you write them.</p>
      {questions.map((question, index) => {
        const known = KNOWN.find(([name]) => name === question.name)?.[1];
        return (
          <div key={ids[index] ?? `theirs ${index}`} className="question" role="group" aria-label={question.label || known || "New question"}>
            {known ? (
              <b className="question-name">{known}</b>
            ) : (
              <TextField label="Question" value={question.label} error={question.label.trim() ? null : "Write what the visitor reads."} onValue={(label) => set(index, { label, name: nameOf(label, questions, index) })} />
            )}
            {!known && <Choice label="Answer" value={question.kind} choices={KINDS} onValue={(kind) => set(index, { kind }, "now")} />}
            <div className="line">
              <Switch label={question.kind === "flag" ? "Has to be ticked" : "Needed"} checked={question.needed} onChange={(needed) => set(index, { needed }, "now")} />
              <IconButton icon="close" name={`Remove ${question.label || known || "the question"}`} onClick={() => drop(index)} />
            </div>
          </div>
        );
      })}
      {error && <p className="field-error">{error}</p>}
      {questions.length < limit.questions_max && (
        <div className="line wrap">
          {free.map(([name, words]) => (
            <Button key={name} size="small" icon="plus" onClick={() => add({ name, label: "", kind: "text", needed: false })}>
              {words}
            </Button>
          ))}
          <Button size="small" icon="plus" onClick={() => add({ name: "", label: "", kind: "text", needed: false })}>
            A question of your own
          </Button>
        </div>
      )}
    </fieldset>
  );
}

/** What a visitor agrees to. */
export function Consent({ value, error, onValue }: { value: string; error: string | null; onValue: (value: string) => void }) {
  return (
    <Field label="What a visitor agrees to" hint="A box to tick before the first message, kept with the contact. A link is written as [privacy policy](https://…)." error={error}>
      {(props) => <textarea {...props} className="input" value={value} onChange={(event) => onValue(event.target.value)} />}
    </Field>
  );
}
