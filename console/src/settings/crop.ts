/** Which square of a picture is kept: how near, and around which point. Pure. */

/** What is chosen: how often the smallest view is magnified, and the middle, as parts of the picture's sides. */
export interface Crop {
  zoom: number;
  x: number;
  y: number;
}

/** The width and height of a picture. */
export interface Size {
  width: number;
  height: number;
}

export const ZOOM_MAX = 5;

/** As much as fits, around the middle. */
export const WHOLE: Crop = { zoom: 1, x: 0.5, y: 0.5 };

/** The square in the picture's own pixels: its left upper corner and its side. */
export function squareOf({ width, height }: Size, crop: Crop): { left: number; top: number; side: number } {
  const side = Math.min(width, height) / crop.zoom;
  return { left: crop.x * width - side / 2, top: crop.y * height - side / 2, side };
}

/** The same choice, with its square within the picture. */
export function within(size: Size, { zoom, x, y }: Crop): Crop {
  const near = clamp(zoom, 1, ZOOM_MAX);
  const half = Math.min(size.width, size.height) / near / 2;
  const part = (middle: number, side: number) => clamp(middle, half / side, 1 - half / side);
  return { zoom: near, x: part(x, size.width), y: part(y, size.height) };
}

/** The choice after the picture was moved by parts of the side that is seen. */
export function moved(size: Size, crop: Crop, right: number, down: number): Crop {
  const { side } = squareOf(size, crop);
  return within(size, { ...crop, x: crop.x - (right * side) / size.width, y: crop.y - (down * side) / size.height });
}

function clamp(value: number, least: number, most: number): number {
  return Math.min(Math.max(value, least), Math.max(least, most));
}
