// biome-ignore-all lint/suspicious/noTemplateCurlyInString: pieces of source texts
// Makes host/lua/generated/compiler.ts from fengari's sources (MIT): its scanner, parser and code
// generator as one module without imports. They compile Lua 5.3; the edits below make the language
// 5.1 as Redis embeds it: doubles only, exact string keys, 5.1's grammar and its error texts. Each
// edit must match exactly once (or as often as it says), so another fengari fails here, loudly.
// What runs the code is ours (host/lua/vm).

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

const require = createRequire(import.meta.url);

/** Modules of fengari/src, in any order: each is run when first required. */
const MODULES =
  'defs ljstype llimits luaconf lopcodes lzio lstring ltable lobject ltm lfunc ldebug ldo lstate ' +
  'lvm lcode llex lparser lapi lundump ldump';

/** [module, what is there, what is to be there, how often (1)] */
const EDITS = [
  // no environment, no platform
  ['luaconf', 'process.env.FENGARICONF ? JSON.parse(process.env.FENGARICONF) : {}', '{}'],
  ['luaconf', 'typeof process === "undefined"', 'true'],
  ['luaconf', "require('os').platform() === 'win32'", 'false'],
  // table keys: each byte one character
  ['lstring', 's += str[i].toString(16);', 's += String.fromCharCode(str[i]);'],
  // constants are folded as 5.1 computes
  [
    'llimits',
    `    let m = a % b;
    if ((m*b) < 0)
        m += b;
    return m;`,
    '    return a - Math.floor(a / b) * b;',
  ],
  // doubles only
  ['lobject', 'let s2i = l_str2int(s);', 'let s2i = null;'],
  // scanner
  [
    'llex',
    'const LUA_ENV = to_luastring("_ENV", true);',
    'const LUA_ENV = to_luastring("(env)", true);',
  ],
  [
    'llex',
    `    let expo = "Ee";
    let first = ls.current;
    lua_assert(lisdigit(ls.current));
    save_and_next(ls);
    if (first === 48 /* ('0').charCodeAt(0) */ && check_next2(ls, "xX"))  /* hexadecimal? */
        expo = "Pp";

    for (;;) {
        if (check_next2(ls, expo))  /* exponent part? */
            check_next2(ls, "-+");  /* optional exponent sign */
        if (lisxdigit(ls.current))
            save_and_next(ls);
        else if (ls.current === 46 /* ('.').charCodeAt(0) */)
            save_and_next(ls);
        else break;
    }
`,
    `    do { save_and_next(ls); } while (lisdigit(ls.current) || ls.current === 46);
    if (check_next2(ls, "Ee")) check_next2(ls, "+-");
    while (lislalnum(ls.current)) save_and_next(ls);
`,
  ],
  ['llex', 'const txtToken = function(ls, token) {', 'const plainToken = function(ls, token) {'],
  [
    'llex',
    `return lobject.luaO_pushfstring(ls.L, to_luastring("'%s'", true), luaZ_buffer(ls.buff));`,
    'return luaS_new(ls.L, luaZ_buffer(ls.buff)).getstr();',
  ],
  [
    'llex',
    'lobject.luaO_pushfstring(ls.L, to_luastring("%s near %s"), msg, txtToken(ls, token));',
    `lobject.luaO_pushfstring(ls.L, to_luastring("%s near '%s'"), msg, plainToken(ls, token));`,
  ],
  [
    'llex',
    `return lobject.luaO_pushfstring(ls.L, to_luastring("'%c'", true), token);`,
    `return token < 32 || token === 127
            ? to_luastring("char(" + token + ")") : new Uint8Array([token]);`,
  ],
  [
    'llex',
    `        if (token < TK_EOS)  /* fixed format (symbols and reserved words)? */
            return lobject.luaO_pushfstring(ls.L, to_luastring("'%s'", true), s);
        else  /* names, strings, and numerals */
            return s;`,
    '        return s;',
  ],
  ['llex', '"<number>", "<integer>"', '"<number>", "<number>"'],
  [
    'llex',
    'let msg = `unfinished long ${what} (starting at line ${line})`;',
    'let msg = `unfinished long ${what}`;',
  ],
  [
    'llex',
    `            case 93 /* (']').charCodeAt(0) */: {
                if (skip_sep(ls) === sep) {`,
    `            case 91: {
                if (skip_sep(ls) === sep) {
                    save_and_next(ls);
                    if (sep === 0)
                        lexerror(ls, to_luastring("nesting of [[...]] is deprecated"), 91);
                }
                break;
            }
            case 93 /* (']').charCodeAt(0) */: {
                if (skip_sep(ls) === sep) {`,
  ],
  [
    'llex',
    "case 120 /* ('x').charCodeAt(0) */: c = readhexaesc(ls); will = 'read_save'; break;",
    '',
  ],
  ['llex', "case 117 /* ('u').charCodeAt(0) */: utf8esc(ls); will = 'no_save'; break;", ''],
  [
    'llex',
    `                    case 122 /* ('z').charCodeAt(0) */: {  /* zap following span of spaces */
                        luaZ_buffremove(ls.buff, 1);  /* remove '\\\\' */
                        next(ls);  /* skip the 'z' */
                        while (lisspace(ls.current)) {
                            if (currIsNewline(ls)) inclinenumber(ls);
                            else next(ls);
                        }
                        will = 'no_save'; break;
                    }
`,
    '',
  ],
  [
    'llex',
    'esccheck(ls, lisdigit(ls.current), to_luastring("invalid escape sequence", true));',
    "if (!lisdigit(ls.current)) { c = ls.current; will = 'read_save'; break; }",
  ],
  [
    'llex',
    'to_luastring("decimal escape too large", true)',
    'to_luastring("escape sequence too large", true)',
  ],
  [
    'llex',
    `    if (!c) {
        if (ls.current !== EOZ)
            save_and_next(ls);  /* add current to buffer for error message */
`,
    '    if (!c) {\n',
  ],
  ['llex', "else if (check_next1(ls, 60 /* ('<').charCodeAt(0) */)) return TK_SHL;", ''],
  ['llex', "else if (check_next1(ls, 62 /* ('>').charCodeAt(0) */)) return TK_SHR;", ''],
  [
    'llex',
    `                if (check_next1(ls, 47 /* ('/').charCodeAt(0) */)) return TK_IDIV;
                else return 47`,
    '                return 47',
  ],
  [
    'llex',
    `                if (check_next1(ls, 58 /* (':').charCodeAt(0) */)) return TK_DBCOLON;
                else return 58`,
    '                return 58',
  ],
  [
    'llex',
    'if (kidx !== void 0 && kidx <= 22)  /* reserved word? */',
    'if (kidx !== void 0 && kidx < 22 && kidx !== 9)  /* reserved word, and not goto? */',
  ],
  [
    'llex',
    '    esccheck(ls, r <= 255, ',
    '    if (r > 255) luaZ_buffremove(ls.buff, i + 1);\n    esccheck(ls, r <= 255, ',
  ],
  // parser
  [
    'lparser',
    "    testnext(ls, 59 /* (';').charCodeAt(0) */);  /* skip optional semicolon */\n",
    '',
  ],
  [
    'lparser',
    'to_luastring("%s expected", true), llex',
    `to_luastring("'%s' expected", true), llex`,
  ],
  [
    'lparser',
    'to_luastring("%s expected (to close %s at line %d)")',
    `to_luastring("'%s' expected (to close '%s' at line %d)")`,
  ],
  [
    'lparser',
    `    let where = (line === 0)
        ? to_luastring("main function", true)
        : lobject.luaO_pushfstring(L, to_luastring("function at line %d", true), line);
    let msg = lobject.luaO_pushfstring(L, to_luastring("too many %s (limit is %d) in %s", true),
        what, limit, where);
    llex.luaX_syntaxerror(fs.ls, msg);`,
    `    let where = line === 0 ? to_luastring("main function")
        : lobject.luaO_pushfstring(L, to_luastring("function at line %d"), line);
    let text = to_luastring("%s has more than %d %s");
    semerror(fs.ls, lobject.luaO_pushfstring(L, text, where, limit, what));`,
  ],
  ['lcode', 'const MAXREGS = 255;', 'const MAXREGS = 250;'],
  [
    'lcode',
    'to_luastring("function or expression needs too many registers", true)',
    'to_luastring("function or expression too complex")',
  ],
  [
    'lparser',
    'checklimit(fs, fs.nups + 1, lfunc.MAXUPVAL, to_luastring("upvalues", true));',
    `let isEnv = (up) => up.name === fs.ls.envn;
    let own = fs.nups + (name === fs.ls.envn || f.upvalues.some(isEnv) ? 0 : 1);
    checklimit(fs, own, 60, to_luastring("upvalues"));`,
  ],
  [
    'lparser',
    'checklimit(ls.fs, L.nCcalls, LUAI_MAXCCALLS, to_luastring("JS levels", true));',
    'if (L.nCcalls > 200) semerror(ls, to_luastring("chunk has too many syntax levels"));',
  ],
  [
    'lparser',
    `    while (!block_follow(ls, 1)) {
        if (ls.t.token === R.TK_RETURN) {
            statement(ls);
            return;  /* 'return' must be last statement */
        }
        statement(ls);
    }
`,
    `    let isLast = false;
    enterlevel(ls);
    while (!isLast && !block_follow(ls, 1)) {
        isLast = ls.t.token === R.TK_RETURN || ls.t.token === R.TK_BREAK;
        statement(ls);
        testnext(ls, 59);
    }
    leavelevel(ls);
`,
  ],
  [
    'lparser',
    '    let line = ls.linenumber;  /* may be needed for error messages */\n    enterlevel(ls);',
    '    let line = ls.linenumber;',
  ],
  [
    'lparser',
    '    ls.fs.freereg = ls.fs.nactvar;  /* free registers */\n    leavelevel(ls);',
    '    ls.fs.freereg = ls.fs.nactvar;',
  ],
  [
    'lparser',
    `        case 59 /* (';').charCodeAt(0) */: {  /* stat -> ';' (empty statement) */
            llex.luaX_next(ls);  /* skip ';' */
            break;
        }
`,
    '',
  ],
  [
    'lparser',
    '        llex.luaX_next(ls);  /* skip break */',
    `        llex.luaX_next(ls);
        let bl = ls.fs.bl;
        while (bl !== null && !bl.isloop) bl = bl.previous;
        if (bl === null) llex.luaX_syntaxerror(ls, to_luastring("no loop to break"));`,
  ],
  ['lparser', 'if (ls.t.token === R.TK_GOTO || ls.t.token === R.TK_BREAK) {', 'if (false) {'],
  [
    'lparser',
    "    if (ls.t.token === 61 /* ('=').charCodeAt(0) */ || ls.t.token === 44 " +
      `/* (',').charCodeAt(0) */) { /* stat . assignment ? */
        v.prev = null;
        assignment(ls, v, 1);
    }
    else {  /* stat -> func */
        check_condition(ls, v.v.k === expkind.VCALL, to_luastring("syntax error", true));
        SETARG_C`,
    `    if (v.v.k !== expkind.VCALL) {
        v.prev = null;
        assignment(ls, v, 1);
    }
    else {  /* stat -> func */
        SETARG_C`,
  ],
  [
    'lparser',
    `    let fs = ls.fs;
    let args = new expdesc();
    switch (ls.t.token) {
        case 40 /* ('(').charCodeAt(0) */: {  /* funcargs -> '(' [ explist ] ')' */
`,
    `    let fs = ls.fs;
    let args = new expdesc();
    line = ls.linenumber;
    switch (ls.t.token) {
        case 40 /* ('(').charCodeAt(0) */: {  /* funcargs -> '(' [ explist ] ')' */
            if (line !== ls.lastline)
                llex.luaX_syntaxerror(ls,
                    to_luastring("ambiguous syntax (function call x new statement)"));
`,
  ],
  [
    'lparser',
    'f.is_vararg = true;  /* declared vararg */',
    `f.is_vararg = true;  /* declared vararg */
                    new_localvarliteral(ls, "arg");
                    f.hasArg = f.needsArg = true;`,
  ],
  [
    'lparser',
    `    adjustlocalvars(ls, nparams);
    f.numparams = fs.nactvar;`,
    `    adjustlocalvars(ls, nparams + (f.hasArg ? 1 : 0));
    f.numparams = fs.nactvar - (f.hasArg ? 1 : 0);`,
  ],
  [
    'lparser',
    'init_exp(v, expkind.VVARARG, luaK_codeABC(fs, OP_VARARG, 0, 1, 0));',
    'fs.f.needsArg = false; init_exp(v, expkind.VVARARG, luaK_codeABC(fs, OP_VARARG, 0, 1, 0));',
  ],
  ['lparser', `        case 126 /* ('~').charCodeAt(0) */: return OPR_BNOT;\n`, ''],
  ['lparser', `        case 38 /* ('&').charCodeAt(0) */: return OPR_BAND;\n`, ''],
  ['lparser', `        case 124 /* ('|').charCodeAt(0) */: return OPR_BOR;\n`, ''],
  ['lparser', `        case 126 /* ('~').charCodeAt(0) */: return OPR_BXOR;\n`, ''],
  // the chunk's name is the whole prefix of messages, made by the caller
  ['ldebug', 'buff = lobject.luaO_chunkid(src.getstr(), LUA_IDSIZE);', 'buff = src.getstr();'],
  ['lcode', 'luaK_fixline(fs, line);', '', 2],
];

const HEAD = `// Generated by build/gen-lua-compiler.mjs from fengari's sources.
// @ts-nocheck
/*
`;

const TAIL = `
load('lapi');
const L = load('lstate').lua_newstate();
const { ZIO } = load('lzio');
const { luaD_protectedparser } = load('ldo');
const { to_luastring } = load('defs');
const { TString } = load('lstring');

/** The prototype of a chunk, or the message of the error in it as bytes. */
export function parseChunk(source: Uint8Array, name: Uint8Array): any {
  let isRead = false;
  const reader = () => {
    if (isRead) return null;
    isRead = true;
    return source;
  };
  const top = L.top;
  L.nCcalls = 0;
  const status = luaD_protectedparser(L, new ZIO(L, reader, null), name, to_luastring('t'));
  const result = L.stack[L.top - 1];
  L.top = top;
  L.nCcalls = 0;
  if (status === 0) return { proto: result.value.p, error: undefined };
  const error = result.value instanceof TString ? result.value.getstr() : undefined;
  return { proto: undefined, error: error ?? to_luastring('cannot compile') };
}
`;

function edited(name, source) {
  let text = source;
  for (const [module, from, to, times = 1] of EDITS) {
    if (module !== name) continue;
    const found = text.split(from).length - 1;
    if (found !== times) throw new Error(`fengari ${name}: ${found} places of ${from}`);
    text = text.split(from).join(to);
  }
  return text;
}

/** Writes the module unless it is as it should be. */
export function generateLuaCompiler(root) {
  const home = path.dirname(require.resolve('fengari/package.json'));
  const license = fs.readFileSync(path.join(home, 'LICENSE'), 'utf8').trim();
  const parts = MODULES.split(' ').map((name) => {
    const source = fs.readFileSync(path.join(home, 'src', `${name}.js`), 'utf8');
    return `modules['./${name}.js'] = (module, require) => {\n${edited(name, source)}\n};\n`;
  });
  const loader = `*/
const modules: Record<string, (module: any, require: (name: string) => any) => void> = {};
const loaded: Record<string, any> = {};
function require(name: string): any {
  const there = loaded[name];
  if (there !== undefined) return there.exports;
  const module = { exports: {} };
  loaded[name] = module;
  modules[name](module, require);
  return module.exports;
}
const load = (name: string): any => require(\`./\${name}.js\`);
`;
  const text = `${HEAD}${license}\n${loader}${parts.join('')}${TAIL}`;
  const file = path.join(root, 'host/lua/generated/compiler.ts');
  if (fs.existsSync(file) && fs.readFileSync(file, 'utf8') === text) return;
  fs.mkdirSync(path.dirname(file), { recursive: true });
  fs.writeFileSync(file, text);
}
