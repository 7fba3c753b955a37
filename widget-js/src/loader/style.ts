// The look of the launcher and of the frame around the panel. A constructable style sheet, so that
// pages with a strict style policy show it too.

export const css = `
:host{all:initial;position:fixed;z-index:2147483000;inset-block-end:0;inset-inline-end:0;color-scheme:light dark;font:14px/1.4 system-ui,sans-serif}
:host([side=start]){inset-inline:0 auto}
:host([hidden]){display:none}
*{box-sizing:border-box}
[hidden]{display:none!important}
.button{all:unset;box-sizing:border-box;position:fixed;inset-block-end:20px;inset-inline-end:20px;width:56px;height:56px;border-radius:50%;background:var(--brand);color:var(--ink);cursor:pointer;display:grid;place-items:center;box-shadow:0 1px 2px #0003,0 6px 20px #0003;transition:transform .16s ease,box-shadow .16s ease;touch-action:manipulation;-webkit-tap-highlight-color:transparent}
:host([side=start]) .button,:host([side=start]) .frame,:host([side=start]) .preview{inset-inline:20px auto}
.button:hover{transform:translateY(-1px);box-shadow:0 2px 3px #0003,0 10px 26px #0004}
.button:active{transform:scale(.96)}
.button:focus-visible,.preview:focus-visible,.dismiss:focus-visible{outline:3px solid var(--brand);outline-offset:3px;box-shadow:0 0 0 3px #fff,0 6px 20px #0003}
svg{width:26px;height:26px;fill:none;stroke:currentColor;stroke-width:1.9;stroke-linecap:round;stroke-linejoin:round}
.lamp{position:absolute;inset-block-end:1px;inset-inline-end:1px;width:15px;height:15px;border-radius:50%;border:2.5px solid #fff;background:#fff;box-shadow:inset 0 0 0 3px #8a9499}
.lamp.on{background:#2e9e5b;box-shadow:none}
.badge{position:absolute;inset-block-start:-4px;inset-inline-end:-4px;min-width:22px;height:22px;padding:0 6px;border-radius:11px;background:#c8372d;color:#fff;border:2px solid #fff;font:600 12px/18px system-ui,sans-serif;text-align:center}
.preview{all:unset;box-sizing:border-box;position:fixed;inset-block-end:90px;inset-inline-end:20px;width:min(300px,calc(100vw - 40px));padding:12px 34px 12px 14px;border-radius:14px;background:#fffefb;color:#1c2326;cursor:pointer;box-shadow:0 0 0 1px #0000001a,0 8px 28px #0003;animation:in .16s ease}
.name{font-weight:600;font-size:13px}
.line{display:-webkit-box;-webkit-line-clamp:2;-webkit-box-orient:vertical;overflow:hidden;overflow-wrap:anywhere}
.dismiss{all:unset;position:fixed;inset-block-end:calc(90px + var(--above,30px));inset-inline-end:28px;width:24px;height:24px;border-radius:50%;cursor:pointer;text-align:center;font:16px/24px system-ui;color:#566}
:host([side=start]) .dismiss{inset-inline:calc(20px + min(300px,100vw - 40px) - 32px) auto}
.frame{border:0;position:fixed;inset-block-end:88px;inset-inline-end:20px;width:380px;height:min(640px,calc(100vh - 108px));height:min(640px,calc(100dvh - 108px));border-radius:16px;background:#f7f5f0;box-shadow:0 0 0 1px #0000001a,0 12px 48px #0004;color-scheme:normal;animation:in .16s ease}
.frame.shut{visibility:hidden;pointer-events:none;animation:none;inset-block-end:-9999px}
@keyframes in{from{opacity:0;transform:translateY(8px)}}
@media (max-width:480px),(max-height:420px){
.frame:not(.shut){inset:var(--top,0) 0 auto!important;width:100%;height:var(--height,100dvh);border-radius:0;box-shadow:none}
:host([open]) .button{display:none}}
@media (prefers-color-scheme:dark){.preview{background:#1d2427;color:#eceae4}.dismiss{color:#aab}.frame{background:#151a1c}}
@media (prefers-reduced-motion:reduce){*{animation:none!important;transition:none!important}}
@media (forced-colors:active){.button{border:2px solid ButtonText}.lamp,.badge{border:1px solid ButtonText}}
@media print{:host{display:none}}
`;
