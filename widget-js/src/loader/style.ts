// The look of the launcher and of the frame around the panel. A constructable style sheet, so that
// pages with a strict style policy show it too. On phones the frame fills the screen, and the button stays
// before it until the panel has a way back of its own.

export const css = `
:host{all:initial;position:fixed;z-index:2147483000;bottom:var(--gap);inset-inline-end:var(--gap);font:14px/1.4 system-ui}
:host([side=start]){inset-inline:var(--gap) auto}
[hidden],:host([hidden]){display:none!important}
button{all:unset;box-sizing:border-box;cursor:pointer}
.button,.frame,.bubble{box-shadow:0 0 0 1px #0001,0 6px 24px #0004}
.button{position:relative;display:flex;align-items:center;gap:8px;padding:12px;border-radius:28px;background:var(--brand);color:var(--ink)}
b:empty,:host([open]) b{display:none}
b{padding-inline-end:8px}
:focus-visible{outline:3px solid var(--brand);outline-offset:3px}
svg{width:32px;fill:none;stroke:currentColor;stroke-width:1.9;stroke-linecap:round;stroke-linejoin:round}
span{position:absolute;inset-inline-end:0;border:2px solid #fff;border-radius:9em}
.lamp{bottom:0;padding:6px;background:#fff;box-shadow:inset 0 0 0 3px #8d9294}
.on{background:#2b8a4b;box-shadow:none}
.badge{top:-4px;min-width:12px;padding:0 5px;background:#c13325;color:#fff;font-size:12px;text-align:center}
.bubble,.frame{position:absolute;bottom:70px;inset-inline-end:0;animation:in .16s}
:host([side=start]) :is(.bubble,.frame){inset-inline:0 auto}
.bubble{display:flex;align-items:start;width:min(290px,90vw);border-radius:14px;background:#fdfcf9;color:#1d2326;background:light-dark(#fdfcf9,#182024);color:light-dark(#1d2326,#e7ebec)}
.preview{flex:1;padding:12px 0 12px 16px;border-radius:14px}
.preview div{display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden;overflow-wrap:anywhere}
b,.badge,.preview div:first-child{font-weight:600}
.dismiss{padding:4px 12px 10px;border-radius:14px;font-size:20px;opacity:.7}
.frame{border:0;width:380px;height:min(640px,100dvh - 110px);border-radius:16px;background:linear-gradient(var(--brand) 68px,#0000 0) #f7f4ee;background-color:light-dark(#f7f4ee,#12181b)}
.shut{visibility:hidden;animation:none}
@keyframes in{from{opacity:0;translate:0 8px}}
@media(max-width:480px),(max-height:420px){.frame{position:fixed;inset:var(--top,0) 0 auto!important;width:100%;height:var(--height,100dvh);border-radius:0}
:host([open]) #r~*{display:none}}
@media print{:host{display:none!important}}
@media(prefers-reduced-motion){*{animation:none!important}}
`;
