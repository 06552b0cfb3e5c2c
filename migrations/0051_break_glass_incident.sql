-- Why: whoever reads later that the glass was broken wants to see what for.
ALTER TABLE break_glass ADD COLUMN incident text;
