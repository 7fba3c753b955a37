import vue from "@vitejs/plugin-vue";

export default { base: "/vue/", logLevel: "warn", plugins: [vue()] };
