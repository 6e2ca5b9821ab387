/** What is used of Node's path. The current folder is the root. */
export const sep = "/";
export const resolve = (...parts: string[]): string => {
  const found: string[] = [];
  for (const part of parts.join("/").split("/"))
    if (part === "..") found.pop();
    else if (part !== "" && part !== ".") found.push(part);
  return `/${found.join("/")}`;
};
export const join = (...parts: string[]): string => {
  const whole = resolve(...parts);
  return parts[0].startsWith("/") ? whole : whole.slice(1) || ".";
};
export const dirname = (file: string): string =>
  file.includes("/") ? file.slice(0, file.lastIndexOf("/")) || "/" : ".";
export const basename = (file: string): string => file.slice(file.lastIndexOf("/") + 1);
export const extname = (file: string): string => /(?<=.)\.[^.]*$/.exec(basename(file))?.[0] ?? "";
export const parse = (file: string) => ({ dir: dirname(file), base: basename(file), ext: extname(file) });
