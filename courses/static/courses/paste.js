// What is pasted from Word, a mail or a web page keeps its paragraphs, lists, bold, links and
// tables: it is written as Markdown. The pasted markup is only read, in a document of its own that
// nothing runs in and nobody sees.
import { page } from "../web/trusted.js";

const SKIPPED = new Set(["STYLE", "SCRIPT", "META", "LINK", "TITLE", "XML", "IMG", "SVG", "OBJECT"]);
const BLOCKS = new Set(["P", "DIV", "UL", "OL", "TABLE", "BLOCKQUOTE", "SECTION", "ARTICLE", "MAIN", "HEADER", "FOOTER", "H1", "H2", "H3", "H4", "H5", "H6", "PRE", "HR"]);
const NUMBERED = /^\(?[0-9a-zA-Z]{1,3}[.)]/;

/** Put a mark around words, the spaces outside of it. */
function wrap(mark, words) {
  const [, before, inside, after] = /^(\s*)([\s\S]*?)(\s*)$/.exec(words);
  return inside ? before + mark + inside + mark + after : words;
}

function inline(node) {
  if (node.nodeType === Node.TEXT_NODE) return node.data.replace(/[ \t\r\n\u00a0]+/g, " ").replace(/[\\*`[\]]/g, "\\$&");
  if (node.nodeType !== Node.ELEMENT_NODE || SKIPPED.has(node.nodeName.toUpperCase())) return "";
  const style = node.getAttribute("data-style") ?? "";
  if (/mso-list:\s*Ignore/i.test(style)) return ""; // the bullet that Word draws itself
  const words = [...node.childNodes].map(inline).join("");
  const plain = /font-weight:\s*(normal|400)/i.test(style);
  switch (node.nodeName) {
    case "BR": return "\n";
    case "B": case "STRONG": return plain ? words : wrap("**", words);
    case "I": case "EM": return wrap("*", words);
    case "A": {
      const address = node.getAttribute("href") ?? "";
      return /^(https?:|mailto:)/i.test(address) && words.trim() ? `[${words.trim()}](${encodeURI(decodeURI(address))})` : words;
    }
    default: return /font-weight:\s*(bold|[6-9]00)/i.test(style) ? wrap("**", words) : words;
  }
}

const tidy = (words) => words.replace(/ *\n */g, "\n").replace(/\*{4}/g, "").trim();

function list(node, depth) {
  const lines = [];
  let number = 1;
  for (const item of node.children) {
    const inner = [...item.childNodes].filter((one) => one.nodeName === "UL" || one.nodeName === "OL");
    const words = tidy([...item.childNodes].filter((one) => !inner.includes(one)).map(inline).join(""));
    const mark = node.nodeName === "OL" ? `${number++}. ` : "- ";
    if (words) lines.push("   ".repeat(depth) + mark + words.replaceAll("\n", " "));
    for (const one of inner) lines.push(...list(one, depth + 1));
  }
  return lines;
}

function table(node) {
  const rows = [...node.querySelectorAll("tr")].map((row) => [...row.children].map((cell) =>
    tidy(inline(cell)).replaceAll("\n", " ").replaceAll("|", "\\|")));
  const wide = Math.max(0, ...rows.map((row) => row.length));
  if (wide < 2) return rows.flat().join("\n\n");
  const lines = rows.map((row) => `| ${[...row, ...Array(wide - row.length).fill("")].join(" | ")} |`);
  lines.splice(1, 0, `|${" --- |".repeat(wide)}`);
  return lines.join("\n");
}

/** Word writes a list as paragraphs that only look like one. */
function item(node) {
  if (!/mso-list:\s*l\d/i.test(node.getAttribute("data-style") ?? "")) return null;
  const drawn = [...node.querySelectorAll("span")].find((one) => /mso-list:\s*Ignore/i.test(one.getAttribute("data-style") ?? ""));
  const depth = Number(/level(\d)/i.exec(node.getAttribute("data-style"))?.[1] ?? 1) - 1;
  return "   ".repeat(depth) + (NUMBERED.test(drawn?.textContent.trim() ?? "") ? "1. " : "- ") + tidy(inline(node)).replaceAll("\n", " ");
}

function blocks(node) {
  const found = []; // { text, list }
  let run = "";
  const end = () => { if (tidy(run)) found.push({ text: tidy(run) }); run = ""; };
  for (const one of node.childNodes) {
    const name = one.nodeName.toUpperCase();
    if (one.nodeType !== Node.ELEMENT_NODE || !(BLOCKS.has(name) || one.querySelector?.("p, div, ul, ol, table, h1, h2, h3"))) {
      run += inline(one);
      continue;
    }
    end();
    if (name === "UL" || name === "OL") found.push({ text: list(one, 0).join("\n") });
    else if (name === "TABLE") found.push({ text: table(one) });
    else if (/^H[1-6]$/.test(name)) found.push({ text: tidy(inline(one)) && `### ${tidy(inline(one)).replaceAll("**", "")}` });
    else if (name === "P" && item(one)) found.push({ text: item(one), list: true });
    else if (name === "BLOCKQUOTE") found.push({ text: blocks(one).replace(/^/gm, "> ") });
    else found.push({ text: blocks(one) });
  }
  end();
  let text = "";
  let before = null;
  for (const one of found.filter((each) => each.text)) {
    if (before) text += before.list && one.list ? "\n" : "\n\n";
    text += one.text;
    before = one;
  }
  return text;
}

/** Return what was pasted as Markdown, or null where its plain text is as good. */
export function markdownOf(clipboard) {
  const html = clipboard?.getData("text/html");
  if (!html || /white-space:\s*pre/i.test(html)) return null; // a program's text, line by line
  // Styles and handlers are read as plain words: the page's own policy would complain of each.
  const words = html.replace(/<style[\s\S]*?<\/style>/gi, "")
    .replace(/<[^>]*>/g, (tag) => tag.replace(/(\s)(style|on\w+)=/gi, "$1data-$2="));
  const body = page(words).body;
  return body.querySelector("p, div, ul, ol, table, b, strong, i, em, a, h1, h2, h3") ? blocks(body) : null;
}
