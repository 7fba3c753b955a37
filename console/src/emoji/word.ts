/** Emoji by name: `:` and how a name begins asks for one. Pure. */
import { EMOJI } from "@switchboard/emoji";

/** What they are called: the first words are said aloud, all are looked through. */
const NAMES: Record<string, string> = {
  "😀": "grin happy smile",
  "😂": "joy laugh tears",
  "🙂": "smile",
  "😉": "wink",
  "😍": "love eyes",
  "🤔": "thinking hmm",
  "😕": "confused",
  "😢": "sad cry",
  "😡": "angry",
  "👍": "thumbs up yes ok",
  "👎": "thumbs down no",
  "🙏": "thanks please pray",
  "👏": "clap bravo",
  "👋": "wave hello bye",
  "🎉": "party hooray celebrate",
  "❤": "heart love",
  "🔥": "fire hot",
  "✅": "check done",
  "😊": "blush glad smile",
  "😅": "sweat phew",
  "😄": "laugh happy smile",
  "😎": "cool sunglasses",
  "🤗": "hug",
  "😌": "relieved calm",
  "😬": "grimace oops",
  "😮": "surprised wow",
  "😴": "sleep tired",
  "🙄": "eyes roll",
  "🤝": "handshake deal agreed",
  "👌": "ok perfect",
  "💪": "strong muscle",
  "🤞": "fingers crossed luck",
  "👀": "eyes look",
  "🙌": "hands up hooray",
  "💡": "idea light bulb",
  "⭐": "star",
  "✨": "sparkles new",
  "🎁": "gift present",
  "☕": "coffee tea break",
  "📦": "parcel package",
  "🚚": "truck delivery shipping",
  "📎": "paperclip attachment",
  "📅": "calendar date",
  "⏰": "alarm clock time",
  "🔒": "lock secure",
  "🔑": "key password",
  "💳": "card payment",
  "💬": "speech chat",
  "📞": "telephone call",
  "📧": "mail e-mail",
  "🔗": "link",
  "⚠": "warning careful",
  "❌": "cross wrong no",
  "❓": "question",
  "❗": "important",
  "🐛": "bug",
  "🛠": "tools repair fix",
  "🚀": "rocket launch fast",
  "🌍": "world earth",
  "☀": "sun weather",
};

/** All that the console offers, with what each is called; those that visitors are offered come first. */
export const ALL: readonly { emoji: string; name: string; words: string }[] = [...new Set([...EMOJI, ...Object.keys(NAMES)])].map((emoji) => {
  const words = NAMES[emoji] ?? "";
  return { emoji, words, name: words.split(" ")[0] ?? "" };
});

/** What stands before the caret and asks for one. */
export interface AskedEmoji {
  query: string;
  start: number;
  end: number;
}

const FORM = /(?:^|\s)(:(\p{L}[\p{L}-]{1,20}))$/u;

/** What is asked for at the caret: two letters at least, so that nobody is offered one for a colon. */
export function emojiAskedAt(text: string, caret: number): AskedEmoji | null {
  const found = FORM.exec(text.slice(0, caret));
  return found ? { query: (found[2] ?? "").toLowerCase(), start: caret - (found[1] ?? "").length, end: caret } : null;
}

const CHOICES_MAX = 8;

/** Those one of whose names begins so. */
export function emojiFitting(query: string): typeof ALL {
  return ALL.filter(({ words }) => words.split(" ").some((word) => word.startsWith(query))).slice(0, CHOICES_MAX);
}
