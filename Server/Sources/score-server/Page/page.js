"use strict";

const most = 50;
const form = document.getElementById("form");
const text = document.getElementById("text");
const status = document.getElementById("status");
const results = document.getElementById("results");
const title = document.getElementById("results-title");
const token = document.getElementById("token");
let run = 0;

function element(name, content, className) {
  const made = document.createElement(name);
  if (content !== undefined) made.textContent = content;
  if (className) made.className = className;
  return made;
}

function percent(p) {
  return `${(100 * p).toFixed(1)} %`;
}

async function ask(path, body) {
  const headers = {"Content-Type": "application/json"};
  if (token.value) headers.Authorization = `Bearer ${token.value}`;
  const response = await fetch(path, {method: "POST", headers, body: JSON.stringify(body)});
  const answer = await response.json();
  if (response.status === 401) {
    document.getElementById("token-row").hidden = false;
    token.focus();
  }
  if (!response.ok) throw new Error(answer.error);
  return answer;
}

// Words for the label and against it, by how much they count. Offsets are of UTF-8.
function shaded(message, words) {
  const bytes = new TextEncoder().encode(message);
  const decoder = new TextDecoder();
  const heaviest = Math.max(...words.map((word) => Math.abs(word.weight)), 1e-9);
  const line = element("p", undefined, "message");
  let end = 0;
  for (const word of words) {
    line.append(decoder.decode(bytes.slice(end, word.start)));
    const isHeavy = Math.abs(word.weight) >= 0.15 * heaviest;
    const name = decoder.decode(bytes.slice(word.start, word.end));
    if (isHeavy) {
      const mark = element("mark", name, word.weight > 0 ? "for" : "against");
      mark.title = `${word.weight > 0 ? "for" : "against"} the label: ${word.weight.toFixed(2)}`;
      line.append(mark);
    } else {
      line.append(name);
    }
    end = word.end;
  }
  line.append(decoder.decode(bytes.slice(end)));
  return line;
}

function item(message, score) {
  const made = element("li");
  if (score.error) {
    made.append(element("p", score.error, "error"));
    return made;
  }
  const verdict = element("p", score.verdict ?? score.label, "verdict");
  verdict.append(" ", element("span", percent(score.probability)));
  made.append(verdict, element("p", message, "message"));
  const bars = element("div", undefined, "bars");
  for (const [label, p] of Object.entries(score.probabilities).sort((a, b) => b[1] - a[1]).slice(0, 6)) {
    const meter = element("meter");
    meter.value = p;
    meter.setAttribute("aria-label", `probability of ${label}`);
    bars.append(element("span", label), meter, element("span", percent(p)));
  }
  made.append(bars);
  return made;
}

async function explain(made, message) {
  const {words, label} = await ask("explain", {text: message});
  made.querySelector(".message").replaceWith(shaded(message, words));
  const order = words.toSorted((a, b) => Math.abs(b.weight) - Math.abs(a.weight)).slice(0, 5);
  const list = order.map((word) => `${word.word} ${word.weight > 0 ? "+" : "−"}${Math.abs(word.weight).toFixed(2)}`);
  if (list.length) made.append(element("p", `Words that count for (+) and against (−) ${label}: ${list.join(", ")}`, "words"));
}

async function label(event) {
  event?.preventDefault();
  const number = ++run;
  const messages = text.value.split("\n").filter((line) => line.trim() !== "").slice(0, most);
  results.replaceChildren();
  title.hidden = messages.length === 0;
  if (!messages.length) {
    status.textContent = "There is no message yet.";
    text.focus();
    return;
  }
  status.textContent = "Asking for the labels …";
  try {
    const scores = await ask("score", {records: messages.map((message) => ({text: message}))});
    if (number !== run) return;
    const items = scores.map((score, index) => item(messages[index], score));
    results.append(...items);
    status.textContent = `${messages.length} ${messages.length === 1 ? "message" : "messages"} labelled.`;
    for (const [index, made] of items.entries()) {
      if (number !== run) return;
      if (!scores[index].error) await explain(made, messages[index]);
    }
  } catch (error) {
    if (number === run) status.textContent = `That didn't work: ${error.message}`;
  }
}

form.addEventListener("submit", label);
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) label(event);
});
